//! Runs the operator's scripts: no shell, no environment but `PATH`, a time and an output that are bounded, and nothing of
//! it left behind in its process group when the time is over.

use std::io;
use std::process::{ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process_group};
use taoyao_core::Performed;
use taoyao_topology::Script;
use taoyao_types::limits::SCRIPT_OUTPUT_BYTES_MAX;
use tokio::io::{AsyncRead, AsyncReadExt, copy, sink};
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// Where programs are looked for if the node itself was started without a `PATH`.
const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// Runs a script to its end. Its process group is killed if it takes too long, or if nobody polls this any more.
pub(crate) async fn run(script: &Script, given: &[String]) -> Performed {
    let arguments = match script.command_line(given) {
        Ok(arguments) => arguments,
        Err(refused) => return Performed::Refused(refused.to_string()),
    };
    let path = std::env::var_os("PATH").unwrap_or_else(|| PATH.into());
    let started = Command::new(&script.program)
        .args(arguments)
        .env_clear()
        .env("PATH", path)
        .current_dir(&script.dir)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn();
    match started {
        Ok(child) => watch(script, child).await,
        Err(error) => failed(script, &error),
    }
}

async fn watch(script: &Script, mut child: Child) -> Performed {
    let mut group = Group::of(&child);
    match timeout(script.timeout, ended(&mut child)).await {
        Ok(ended) => {
            group.leave();
            ended.map_or_else(|error| failed(script, &error), |(exit, output)| ran(exit, &output))
        }
        Err(_too_late) => {
            drop(group);
            // It may have left its group.
            match child.kill().await {
                Ok(()) => Performed::Overdue,
                Err(error) => failed(script, &error),
            }
        }
    }
}

/// The script's exit and the output that counts: all that it says on standard output, or on standard error if it fails.
///
/// It is waited for after its outputs have ended: until then its id is taken, and cannot have become another group's.
async fn ended(child: &mut Child) -> io::Result<(ExitStatus, Vec<u8>)> {
    let (said, complained) = (child.stdout.take(), child.stderr.take());
    let (said, complained) = tokio::join!(read(said), read(complained));
    let exit = child.wait().await?;
    Ok((exit, if exit.success() { said? } else { complained? }))
}

/// The first of an output; the rest is read and forgotten, so that the script can go on.
async fn read(output: Option<impl AsyncRead + Unpin>) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(mut output) = output {
        (&mut output).take(SCRIPT_OUTPUT_BYTES_MAX as u64).read_to_end(&mut bytes).await?;
        copy(&mut output, &mut sink()).await?;
    }
    Ok(bytes)
}

fn ran(exit: ExitStatus, output: &[u8]) -> Performed {
    Performed::Ran { exit: exit.code(), output: String::from_utf8_lossy(output).into_owned() }
}

fn failed(script: &Script, error: &io::Error) -> Performed {
    Performed::Failed(format!("{} cannot be run: {error}", script.name))
}

/// The processes of a script. They are killed with this.
#[derive(Debug)]
struct Group(Option<Pid>);

impl Group {
    fn of(leader: &Child) -> Self {
        Self(leader.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw))
    }

    /// Lets what is left of them live: the script has ended and said all.
    fn leave(&mut self) {
        self.0 = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(Err(error)) = self.0.map(|group| kill_process_group(group, Signal::KILL)) {
            tracing::warn!(%error, "a script's processes could not be killed");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;
    use std::time::{Duration, Instant};

    use taoyao_topology::Argument;
    use tempfile::TempDir;

    use super::*;

    /// Longer than any test; only a failure waits for it.
    const PATIENCE: Duration = Duration::from_secs(60);

    /// The operator's own file, which is what runs.
    struct Place(TempDir);

    impl Place {
        fn new(text: &str) -> Self {
            let dir = tempfile::tempdir().unwrap();
            fs::write(dir.path().join("script.sh"), text).unwrap();
            Self(dir)
        }

        fn script(&self) -> Script {
            Script {
                name: "lights".into(),
                program: "/bin/sh".into(),
                fixed: vec![self.0.path().join("script.sh").display().to_string(), "fixed".into()],
                arguments: Vec::new(),
                dir: self.0.path().into(),
                timeout: PATIENCE,
                nodes: Vec::new(),
            }
        }

        fn file(&self, name: &str) -> Option<String> {
            fs::read_to_string(self.0.path().join(name)).ok()
        }
    }

    fn said(exit: i32, output: &str) -> Performed {
        Performed::Ran { exit: Some(exit), output: output.to_owned() }
    }

    /// Whether a process of this id is there and not only waiting to be forgotten.
    fn lives(id: &str) -> bool {
        let status = fs::read_to_string(Path::new("/proc").join(id.trim()).join("stat")).unwrap_or_default();
        status.rsplit(") ").next().is_some_and(|rest| !rest.is_empty() && !rest.starts_with('Z'))
    }

    #[tokio::test]
    async fn what_it_says_counts_and_what_it_complains_of_when_it_fails() {
        let place = Place::new("echo said; echo complained >&2");
        assert_eq!(run(&place.script(), &[]).await, said(0, "said\n"));
        let place = Place::new("echo said; echo complained >&2; exit 3");
        assert_eq!(run(&place.script(), &[]).await, said(3, "complained\n"));
        let place = Place::new("kill -9 $$");
        assert_eq!(run(&place.script(), &[]).await, Performed::Ran { exit: None, output: String::new() });
    }

    #[tokio::test]
    async fn it_has_no_environment_but_a_path_no_input_and_its_own_directory() {
        let place =
            Place::new("cat; /usr/bin/env | cut -d= -f1 | grep -v '^PWD$\\|^_$\\|^SHLVL$\\|^OLDPWD$'; pwd");
        let dir = fs::canonicalize(place.0.path()).unwrap();
        assert_eq!(run(&place.script(), &[]).await, said(0, &format!("PATH\n{}\n", dir.display())));
    }

    #[tokio::test]
    async fn words_of_an_account_reach_the_program_as_they_are() {
        let place = Place::new("printf '<%s>' \"$@\"");
        let words = ["$(touch x)", "`id`", "*", ";id", "a&b", "|", ">x"].map(str::to_owned);
        let mut script = place.script();
        script.arguments = words.iter().map(|word| Argument::OneOf(vec![word.clone()])).collect();
        let shown: String = words.iter().map(|word| format!("<{word}>")).collect();
        assert_eq!(run(&script, &words).await, said(0, &format!("<fixed>{shown}")));
        assert_eq!(place.file("x"), None);
    }

    #[tokio::test]
    async fn refused_arguments_run_nothing() {
        let place = Place::new("touch ran");
        let refused = run(&place.script(), &["x".to_owned()]).await;
        assert_eq!(refused, Performed::Refused("lights takes no arguments".to_owned()));
        assert_eq!(place.file("ran"), None);
    }

    #[tokio::test]
    async fn a_program_that_is_not_there_is_told() {
        let place = Place::new("");
        let script = Script { program: "/no/such/program".into(), ..place.script() };
        let Performed::Failed(why) = run(&script, &[]).await else { panic!("it ran") };
        assert!(why.starts_with("lights cannot be run: No such file"), "{why}");
    }

    #[tokio::test]
    async fn what_it_says_is_cut_and_it_goes_on() {
        let place = Place::new("head -c 1000000 /dev/zero | tr '\\0' x; touch done");
        let Performed::Ran { exit: Some(0), output } = run(&place.script(), &[]).await else {
            panic!("it failed")
        };
        assert_eq!(output.len(), SCRIPT_OUTPUT_BYTES_MAX);
        assert!(place.file("done").is_some());
    }

    #[tokio::test]
    async fn when_its_time_is_over_all_its_processes_are_killed() {
        let place = Place::new("sleep 600 & echo $! > child; echo $$ > leader; echo said; wait");
        let script = Script { timeout: Duration::from_millis(500), ..place.script() };
        let began = Instant::now();
        assert_eq!(run(&script, &[]).await, Performed::Overdue);
        assert!(began.elapsed() < PATIENCE);
        for file in ["leader", "child"] {
            // A busy machine may not have let it come so far.
            let id = place.file(file).unwrap_or_else(|| "0".to_owned());
            assert!(eventually_dead(&id).await, "{file} {id} lives");
        }
    }

    #[tokio::test]
    async fn nobody_waiting_ends_it_too() {
        let place = Place::new("echo $$ > leader; sleep 600");
        let script = place.script();
        let mut running = tokio::task::JoinSet::new();
        running.spawn(async move { run(&script, &[]).await });
        let leader = loop {
            if let Some(id) = place.file("leader").filter(|id| id.ends_with('\n')) {
                break id;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        assert!(lives(&leader));
        running.shutdown().await;
        assert!(eventually_dead(&leader).await);
    }

    /// Being killed takes the system a moment.
    async fn eventually_dead(id: &str) -> bool {
        for _ in 0..500 {
            if !lives(id) {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        false
    }
}
