//! Every offer gets a whole answer or a whole refusal, however its program writes it.

use taoyao_ortc::negotiate::produce;
use taoyao_ortc::{DtlsRole, MediaKind};
use taoyao_sdp::{Answer, BadSdp, BadSection, Offer, Published};

use crate::offers::{FINGERPRINT, PUBLISH, local, sections};

#[test]
fn every_programs_offer_is_answered_in_all_its_sections() {
    for (name, text) in PUBLISH {
        let published = published(name, text);
        let mut kinds: Vec<_> = published.iter().map(|one| one.kind).collect();
        kinds.sort_unstable();
        assert_eq!(kinds, [MediaKind::Audio, MediaKind::Video], "{name}");
        for one in &published {
            assert!(produce(one.kind, &one.rtp).is_ok(), "{name}: {:?}", one.rtp);
        }
        check_answer(name, text, &published);
    }
}

type Written = fn(&str) -> String;

/// How else the same may be written: each way is what some program or hand does.
const WAYS: [(&str, Written); 16] = [
    ("a mark of byte order", |text| format!("\u{feff}{text}")),
    ("line feeds only", |text| text.replace("\r\n", "\n")),
    ("carriage returns only", |text| text.replace("\r\n", "\r")),
    ("spaces at the ends of lines", |text| text.replace("\r\n", " \t\r\n")),
    ("empty lines between and behind", |text| text.replace("\r\n", "\r\n\r\n") + "\r\n"),
    ("no end of the last line", |text| text.trim_end().to_owned()),
    ("two spaces between words", |text| text.replace(' ', "  ")),
    ("a space behind colons", |text| edit(text, "a=", |line| line.replacen(':', ": ", 1))),
    ("capital parameters", |text| {
        edit(text, "a=fmtp", |line| line.to_ascii_uppercase().replace("A=FMTP", "a=fmtp"))
    }),
    ("parameters that end with a semicolon", |text| edit(text, "a=fmtp", |line| format!("{line};"))),
    ("small codecs", |text| edit(text, "a=rtpmap", str::to_ascii_lowercase)),
    ("other characters in credentials", |text| {
        edit(text, "a=ice-", |line| match line.contains("options") {
            true => line.to_owned(),
            false => format!("{line}-_="),
        })
    }),
    ("no lines that say nothing", |text| {
        let says = |line: &&str| ["v=", "m=", "a="].iter().any(|key| line.starts_with(key));
        text.lines().filter(says).map(|line| format!("{line}\r\n")).collect()
    }),
    ("lines in a form of their own", |text| {
        edit(text, "c=", |_| "c=IN\r\nb=AS:much\r\nb=TIAS:1.5\r\nk=x y\r\ni=\r\nz=".to_owned())
    }),
    ("multiplexing and nothing else", |text| edit(text, "a=rtcp-mux", |_| "a=rtcp-mux-only".to_owned())),
    ("an extension twice", |text| edit(text, "a=extmap:", |line| format!("{line}\r\n{line}"))),
];

#[test]
fn however_it_is_written_the_same_is_understood() {
    for (name, text) in PUBLISH {
        let plain = published(name, text);
        for (way, written) in WAYS {
            let other = written(text);
            let name = format!("{name} with {way}");
            let understood = published(&name, &other);
            let summary = |published: &[Published]| -> Vec<_> {
                let numbers = |one: &Published| {
                    let codecs = one
                        .rtp
                        .codecs
                        .iter()
                        .map(|codec| (codec.payload_type, codec.integer("apt")))
                        .collect();
                    let extensions: Vec<_> = one.rtp.header_extensions.iter().map(|one| one.id).collect();
                    (one.section, one.kind, codecs, extensions, one.rtp.encodings.clone())
                };
                published.iter().map(numbers).collect::<Vec<(_, _, Vec<_>, _, _)>>()
            };
            assert_eq!(summary(&understood), summary(&plain), "{name}");
            check_answer(&name, &other, &understood);
        }
    }
}

#[test]
fn names_of_sections_are_as_long_as_programs_make_them() {
    let name = "0123456789abcdef-0123456789abcdef-{0123456789abcdef}:/";
    for (program, text) in PUBLISH {
        let Some(mid) = text.lines().find_map(|line| line.strip_prefix("a=mid:")) else { continue };
        let renamed: String = text
            .lines()
            .map(|line| match line.starts_with("a=group:BUNDLE") {
                true => line
                    .split(' ')
                    .map(|tag| if tag == mid { name } else { tag })
                    .collect::<Vec<_>>()
                    .join(" "),
                false => line.replace(&format!("a=mid:{mid}"), &format!("a=mid:{name}")),
            })
            .map(|line| format!("{line}\r\n"))
            .collect();
        let published = published(program, &renamed);
        assert!(published.iter().any(|one| one.rtp.mid.as_deref() == Some(name)), "{program}");
        check_answer(program, &renamed, &published);
        let too_long = renamed.replace(name, &"x".repeat(256));
        let refused = Offer::read(&too_long).unwrap().published();
        assert!(matches!(&refused, Err(why) if why.to_string().contains("255 bytes")), "{refused:?}");
    }
}

/// One fault in one section, in every section of every program that sends: nothing of the offer is taken.
#[test]
fn a_fault_in_one_section_refuses_the_whole_with_its_reason() {
    let faults: [(&str, &str, &[&str]); 3] = [
        ("a=rtpmap", "a=rtpmap:0 nonsense/1", &["does not speak"]),
        (
            "a=ssrc:",
            "a=ssrc:1 cname:x\r\na=ssrc-group:SIM 7 7",
            &["two streams have the ssrc 7", "no simulcast"],
        ),
        ("m=", "", &["no codec"]),
    ];
    for (program, text) in PUBLISH {
        for at in published(program, text).iter().map(|one| one.section) {
            for (line, fault, reasons) in faults {
                let broken = in_section(text, at, |one| match (one.starts_with(line), line) {
                    (true, "m=") => one.split(' ').take(3).chain(["77"]).collect::<Vec<_>>().join(" "),
                    (true, "a=rtpmap") => {
                        one.split_once(' ').unwrap().0.to_owned() + " " + fault.split_once(' ').unwrap().1
                    }
                    (true, _) => fault.to_owned(),
                    (false, _) => one.to_owned(),
                });
                // PCMU needs no rtpmap, and an offer may have no such line.
                match Offer::read(&broken).unwrap().published() {
                    Err(BadSdp::NotUnderstood(sections)) => {
                        let is_told =
                            |one: &BadSection| reasons.iter().any(|reason| one.why.contains(reason));
                        assert!(sections.iter().all(is_told), "{program}: {sections:?}");
                    }
                    Ok(published) => assert_eq!(published.len(), 2, "{program}: a part of {broken}"),
                    Err(other) => panic!("{program}: {other}"),
                }
            }
        }
    }
}

fn published(name: &str, text: &str) -> Vec<Published> {
    let offer = Offer::read(text).unwrap_or_else(|why| panic!("{name}: {why}\n{text}"));
    offer.published().unwrap_or_else(|why| panic!("{name}: {why}\n{text}"))
}

/// All sections in their order, each with what some program insists on, the bundle with all that is accepted.
fn check_answer(name: &str, text: &str, published: &[Published]) {
    let (offer, local) = (Offer::read(text).expect("it was read before"), local());
    let mut answer = Answer::new(&offer, &local, 77);
    published.iter().for_each(|one| answer.receive(one.section, &one.rtp));
    let answer = answer.write();
    let answered = sections(&answer);
    assert_eq!(answered.len() - 1, offer.sections().len(), "{name}: {answer}");
    let setup = if offer.dtls().role == DtlsRole::Server { "a=setup:active" } else { "a=setup:passive" };
    let mut bundle = "a=group:BUNDLE".to_owned();
    for (at, lines) in answered[1..].iter().enumerate() {
        let is_accepted = published.iter().any(|one| one.section == at);
        let words: Vec<_> = lines[0].split(' ').collect();
        assert_eq!(words[1] != "0", is_accepted, "{name}: {answer}");
        let has = |line: &str| lines.contains(&line);
        assert!(has(if is_accepted { "a=recvonly" } else { "a=inactive" }), "{name}: {answer}");
        assert!(has("a=rtcp-mux") || words[0] == "m=application", "{name}: {answer}");
        assert!(has("a=ice-ufrag:ours") && has(setup), "{name}: {answer}");
        assert!(has(&format!("a=fingerprint:sha-256 {FINGERPRINT}")), "{name}: {answer}");
        let mid = lines.iter().find_map(|line| line.strip_prefix("a=mid:")).expect("a name");
        if is_accepted {
            bundle = format!("{bundle} {mid}");
        }
    }
    assert!(answered[0].contains(&bundle.as_str()), "{name}: {answer}");
}

/// The text with all lines that begin so written anew.
fn edit(text: &str, beginning: &str, write: impl Fn(&str) -> String) -> String {
    let line = |line: &str| if line.starts_with(beginning) { write(line) } else { line.to_owned() };
    text.lines().map(|one| line(one) + "\r\n").collect()
}

/// The text with the lines of one section written anew.
fn in_section(text: &str, section: usize, write: impl Fn(&str) -> String) -> String {
    let mut at = None;
    let line = |line: &str| {
        if line.starts_with("m=") {
            at = Some(at.map_or(0, |at| at + 1));
        }
        if at == Some(section) { write(line) } else { line.to_owned() }
    };
    text.lines().map(line).map(|line| line + "\r\n").collect()
}
