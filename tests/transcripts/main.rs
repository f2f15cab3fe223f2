//! Golden transcripts: for every signal what is sent and what everybody hears, byte for byte, at one node and across the
//! mesh. `TRANSCRIPTS=write cargo test -p taoyao-tests --test transcripts` writes anew what is heard.
//!
//! A transcript is `family/name.txt`; those in `traces` are whole stories, which `docs/protocol` shows. Their lines:
//!
//! - `# …` is a remark, `@ …` happens before and is not listened to: `@ A B` are registered terminals that have
//!   listed the others (`@ A:operator` one of another account), `@ room of A with A B`, `@ call from A to B`, `@ in mobile.cn` puts all into that partition;
//!   In a room with media, `@ B receives`, `@ A sends audio` (or `video`, `data`), `@ B is ready`;
//! - `sfu > …` is what the SFU of the room notices, see `play.rs`;
//! - `A > …` is what A sends, `A < …` what A hears, `A closed …` how its connection ends;
//! - `A connects`, `A hangs up` and `5 s pass` happen.
//!
//! Everything that anybody hears is in it, in each party's order. Words in braces are told in `placeholders.rs`.

#![expect(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

mod library;
mod mesh;
mod party;
mod placeholders;
mod play;

use library::Transcript;
use party::Stage;
use taoyao_wire::signals::SIGNALS;

#[test]
fn at_one_node_everybody_hears_what_is_written() {
    all_go_as_written(Stage::OneNode);
}

#[test]
fn across_regions_everybody_hears_the_same_but_for_full_names() {
    all_go_as_written(Stage::TwoRegions);
}

#[test]
fn every_signal_has_a_transcript_in_which_it_is_said() {
    let transcripts = library::all();
    let mut wrong = Vec::new();
    for row in &SIGNALS {
        let wanted = library::path_of(row.name);
        let says_it = format!("\"signal\":\"{}\"", row.name);
        match transcripts.iter().find(|transcript| transcript.path == wanted) {
            None => wrong.push(format!("{} has no transcript {wanted}", row.name)),
            Some(transcript) if !transcript.text.contains(&says_it) => {
                wrong.push(format!("nobody says {} in {wanted}", row.name));
            }
            Some(_) => {}
        }
    }
    for transcript in &transcripts {
        let is_a_signals = SIGNALS.iter().any(|row| library::path_of(row.name) == transcript.path);
        let is_of_many = ["envelope/", "traces/"].iter().any(|folder| transcript.path.starts_with(folder));
        if !is_a_signals && !is_of_many {
            wrong.push(format!("{} is no signal's", transcript.path));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

fn all_go_as_written(stage: Stage) {
    let wrong: Vec<String> =
        library::all().iter().filter_map(|transcript| goes_as_written(transcript, stage)).collect();
    assert!(wrong.is_empty(), "{} transcripts differ:\n{}", wrong.len(), wrong.join("\n"));
}

/// None if it does, else the difference.
fn goes_as_written(transcript: &Transcript, stage: Stage) -> Option<String> {
    // Shown if something in it panics.
    eprintln!("playing {} ({stage:?})", transcript.path);
    let played = play::play(&transcript.text, stage);
    let written = match stage {
        _ if !library::is_to_be_written() => transcript.text.clone(),
        Stage::OneNode => {
            transcript.write(&played);
            return None;
        }
        Stage::TwoRegions => play::play(&transcript.text, Stage::OneNode),
    };
    let difference = library::difference(&written, &played)?;
    Some(format!("{} ({stage:?}):\n{difference}", transcript.path))
}
