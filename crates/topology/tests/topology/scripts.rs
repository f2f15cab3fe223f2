//! `[[script]]`: what it means, which nodes have it, and its mistakes.

use std::path::Path;
use std::time::Duration;

use taoyao_topology::{Argument, Script, Topology};
use taoyao_types::limits;

use crate::{MESH, mistakes, topology};

const LIGHTS: &str = r#"[[script]]
name = "lights"
command = ["/usr/local/bin/lights", "--quick"]
"#;

fn with(script: &str) -> String {
    format!("{MESH}{script}")
}

fn scripts<'t>(mesh: &'t Topology, node: &str) -> Vec<&'t Script> {
    mesh.scripts_of(mesh.by_name(node).expect("the mesh has it").id).collect()
}

/// Checks that a file with these lines has exactly one mistake, whose text has all the parts.
#[track_caller]
fn assert_told(script: &str, parts: &[&str]) {
    let mistakes = mistakes(&with(script));
    assert_eq!(mistakes.list().len(), 1, "one mistake is expected:\n{mistakes}");
    for part in parts {
        assert!(mistakes.to_string().contains(part), "{part:?} is missing in:\n{mistakes}");
    }
}

#[test]
fn no_node_runs_anything_unless_the_file_says_so() {
    assert!(scripts(&topology(MESH), "sh").is_empty());
}

#[test]
fn a_script_is_everywhere_takes_nothing_and_has_four_seconds_unless_it_says_more() {
    let mesh = topology(&with(LIGHTS));
    let [lights] = scripts(&mesh, "sh")[..] else { panic!("one script") };
    let expected = Script {
        name: "lights".into(),
        program: "/usr/local/bin/lights".into(),
        fixed: vec!["--quick".into()],
        arguments: Vec::new(),
        dir: "/".into(),
        timeout: limits::SCRIPT_TIMEOUT,
        nodes: Vec::new(),
    };
    assert_eq!(*lights, expected);
    assert_eq!(scripts(&mesh, "cn"), [lights]);
}

#[test]
fn every_key_is_read() {
    let rest = "dir = \"../lights\"\ntimeout_ms = 60000\nnodes = [\"sh\", \"cn/east\"]\n\
                arguments = [{ one_of = [\"on\", \"off\"] }, { min = 1, max = 16 }, { name = true }]\n";
    let mesh = topology(&with(&format!("{LIGHTS}{rest}")));
    let [lights] = scripts(&mesh, "sh")[..] else { panic!("one script") };
    assert_eq!((lights.dir.as_path(), lights.timeout), (Path::new("lights"), Duration::from_secs(60)));
    let on_off = Argument::OneOf(vec!["on".into(), "off".into()]);
    assert_eq!(lights.arguments, [on_off, Argument::Number(1..=16), Argument::Name]);
    assert_eq!((scripts(&mesh, "east").len(), scripts(&mesh, "cn").len()), (1, 0));
}

#[test]
fn a_script_of_a_signal_is_an_order() {
    for (name, is_order) in [("system::reboot", true), ("platform::reboot", true), ("reboot", false)] {
        let mesh = topology(&with(&LIGHTS.replace("\"lights\"", &format!("{name:?}"))));
        assert_eq!(scripts(&mesh, "sh")[0].is_order(), is_order, "{name}");
    }
    let order =
        format!("{}arguments = [{{ name = true }}]\n", LIGHTS.replace("\"lights\"", "\"system::reboot\""));
    assert_told(&order, &["the script of the signal `system::reboot` has arguments", "behind the program"]);
}

#[test]
fn bad_names_are_told() {
    for name in ["Lights", "-x", "a b", "", "system::info", "platform::shutdown", "../x"] {
        let named = LIGHTS.replace("\"lights\"", &format!("{name:?}"));
        assert_told(&named, &["a script is called by 1 to 64 of a-z, 0-9 and -", "restart-camera"]);
    }
    assert_told("[[script]]\ncommand = [\"/bin/true\"]\n", &["[[script]] has no `name`"]);
    assert_told(&format!("{LIGHTS}{LIGHTS}"), &["two scripts are called `lights`; the first is in line"]);
}

#[test]
fn bad_commands_are_told() {
    assert_told(
        "[[script]]\nname = \"lights\"\n",
        &["[[script]] has no `command`", "command = [\"/usr/local"],
    );
    for command in ["[]", "[\"lights\"]", "[\"./lights\"]", "[\"\"]"] {
        let script = format!("[[script]]\nname = \"lights\"\ncommand = {command}\n");
        assert_told(&script, &["does not begin with the absolute path of a program"]);
    }
    let shell = "[[script]]\nname = \"lights\"\ncommand = \"/bin/lights on\"\n";
    assert_told(shell, &["`command` is a text, but a list of texts belongs here"]);
}

#[test]
fn bad_arguments_are_told() {
    for argument in [
        "{}",
        "{ one_of = [] }",
        "{ one_of = [\"a b\"] }",
        "{ min = 1 }",
        "{ min = 2, max = 1 }",
        "{ min = 1, max = 2, name = true }",
    ] {
        let script = format!("{LIGHTS}arguments = [{argument}]\n");
        assert_told(&script, &["an argument is one of some words, a number in a range, or a name"]);
    }
    assert_told(&format!("{LIGHTS}timeout_ms = 60001\n"), &["`timeout_ms` is not between 100 and 60000"]);
    assert_told(&format!("{LIGHTS}shell = true\n"), &["unknown key `shell` in [[script]]"]);
}

#[test]
fn a_node_that_is_not_there_is_told() {
    let script = format!("{LIGHTS}nodes = [\"sh\", \"shh\"]\n");
    assert_told(
        &script,
        &["script `lights` is for the unknown node `shh`", "instead: \"sh\" (the nodes are: "],
    );
}
