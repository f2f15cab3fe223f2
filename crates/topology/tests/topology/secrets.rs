//! Passwords are neither in mistakes nor in `Debug`, whatever is wrong with them.

use taoyao_topology::Topology;

use crate::{MESH, topology};

const LOGIN: &str =
    "[login]\ndevelopment = true\nshared_account = { username = \"taoyao\", password = \"hunter2\" }";
const TURN: &str = "[[ice.turn]]\naddress = \"turn.example.com:1\"\nusername = \"u\"\npassword = \"hunter2\"";

fn with_head(head: &str) -> String {
    MESH.replacen("[[node]]", &format!("{head}\n[[node]]"), 1)
}

#[test]
fn a_shared_account_is_read_and_not_shown() {
    let mesh = topology(&with_head(LOGIN));
    let account = mesh.login().shared_account.as_ref().unwrap();
    assert_eq!((account.username.as_str(), account.password.reveal()), ("taoyao", "hunter2"));
    assert!(!format!("{mesh:?}").contains("hunter2"));
}

#[test]
fn a_shared_account_needs_the_word_development() {
    let text = with_head(&LOGIN.replace("development = true\n", ""));
    let told = Topology::parse("t.toml", &text).unwrap_err().to_string();
    assert!(told.contains("t.toml:3:1"), "{told}");
    assert!(told.contains("a shared account without `development = true`"), "{told}");
    assert!(told.contains("`taoyao user add`"), "{told}");
}

#[test]
fn no_mistake_shows_a_password() {
    let broken = [
        LOGIN.replace("password =", "pw ="),
        LOGIN.replace("username = \"taoyao\"", "username = \"\""),
        LOGIN.replace("development = true\n", ""),
        LOGIN.replace(" }", ""),
        LOGIN.replace("\"hunter2\"", "hunter2"),
        TURN.replace("password =", "pw ="),
        TURN.replace("turn.example.com:1", "turn"),
        TURN.replace("\"hunter2\"", "[\"hunter2\"]"),
        TURN.replace("\"hunter2\"", "\"hunter2"),
    ];
    for head in broken {
        let mistakes = Topology::parse("t.toml", &with_head(&head)).unwrap_err();
        assert!(!mistakes.to_string().contains("hunter2"), "{mistakes}");
        assert!(!format!("{mistakes:?}").contains("hunter2"), "{mistakes:?}");
    }
}
