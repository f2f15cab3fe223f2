//! Tests of logins: what is decided at once, what waits, what is refused and what is put off.

use std::collections::BTreeSet;
use std::fs;

use taoyao_topology::Topology;
use taoyao_types::Role;

use super::*;

const NOW: Now = Now { mono: taoyao_types::Instant(0), wall: taoyao_types::Wall(0) };
const SHARED: &str = "shared_account = { username = \"taoyao\", password = \"peach\" }";

#[tokio::test]
async fn the_shared_account_is_decided_at_once_and_others_are_looked_up() {
    let mut logins = logins(SHARED, &Users::default());
    assert!(is_accepted(logins.begin(NOW, ticket("taoyao", "peach")).unwrap()));
    assert!(logins.begin(NOW, ticket("taoyao", "pear")).is_none());
    assert_eq!(refused(next(&mut logins).await), Verified::Refused);
    let stats = logins.stats();
    assert_eq!((stats.accepted, stats.refused, stats.put_off), (1, 1, 0));
}

#[tokio::test]
async fn who_guesses_is_put_off_without_a_look_and_is_not_told_that_it_was_wrong() {
    let mut logins = logins(SHARED, &Users::default());
    for nth in 0..6 {
        assert!(logins.begin(NOW, ticket("taoyao", &format!("pear {nth}"))).is_none());
        assert_eq!(refused(next(&mut logins).await), Verified::Refused);
    }
    let put_off = refused(logins.begin(NOW, ticket("taoyao", "peach")).unwrap());
    assert!(matches!(put_off, Verified::PutOff(wait) if wait >= Duration::from_secs(1)), "{put_off:?}");
    let (reply, answer) = oneshot::channel();
    let caller = Ticket { who: Who::Caller { reply }, ..ticket("taoyao", "peach") };
    assert!(logins.begin(NOW, caller).unwrap().tell().is_none());
    assert!(matches!(answer.await.unwrap(), Err(NotLetIn::NotLookedAt { seconds: 1.. })));
    assert_eq!(logins.stats().put_off, 2);
}

#[tokio::test]
async fn of_a_burst_of_guesses_only_the_free_ones_are_looked_at() {
    let mut logins = logins("", &Users::default());
    let mut looked_at = 0;
    for nth in 0..300 {
        let from = [192, 0, 2, (nth % 40) as u8];
        let guess = Ticket { ip: IpAddr::from(from), ..ticket("ann", &format!("guess {nth}")) };
        if let Some(settled) = logins.begin(NOW, guess) {
            assert!(matches!(refused(settled), Verified::PutOff(_)));
        }
    }
    while !logins.running.is_empty() || !logins.settled.is_empty() {
        looked_at += usize::from(refused(next(&mut logins).await) == Verified::Refused);
    }
    assert!((6..=6 + logins.cores).contains(&looked_at), "{looked_at} of 300");
    assert_eq!(logins.stats().put_off, 300 - looked_at as u64);
}

#[tokio::test]
async fn a_password_that_was_right_is_right_again_at_once_until_its_account_changes() {
    let mut users = with_ann();
    let mut logins = logins("", &users);
    assert!(logins.begin(NOW, ticket("ann", "correct horse")).is_none());
    assert!(is_accepted(next(&mut logins).await));
    assert!(is_accepted(logins.begin(NOW, ticket("ann", "correct horse")).unwrap()));
    assert!(logins.begin(NOW, ticket("ann", "wrong")).is_none());
    assert_eq!(refused(next(&mut logins).await), Verified::Refused);
    assert_eq!(refused(logins.begin(NOW, ticket("ann", "wrong")).unwrap()), Verified::Refused);
    assert_eq!(logins.stats().remembered, 2);
    users.set_password("ann", "wrong", [9; 16]).unwrap();
    logins.users = Arc::new(users);
    logins.recent.forget_wrong();
    for (password, accepted) in [("correct horse", false), ("wrong", true)] {
        assert!(logins.begin(NOW, ticket("ann", password)).is_none());
        assert_eq!(is_accepted(next(&mut logins).await), accepted, "{password}");
    }
}

#[tokio::test]
async fn the_right_password_of_an_account_that_is_not_for_this_is_no_wrong_one() {
    let mut users = with_ann();
    users.get_mut("ann").unwrap().clients = vec!["cam-8".parse().unwrap()];
    let mut logins = logins("", &users);
    for _ in 0..10 {
        assert!(logins.begin(NOW, ticket("ann", "correct horse")).is_none());
        let told = refused(next(&mut logins).await);
        assert_eq!(told, Verified::NotFor("the account is not for this client id".into()));
    }
}

#[tokio::test]
async fn a_login_that_ends_after_its_account_has_changed_has_to_come_again() {
    let mut users = with_ann();
    let mut logins = logins("", &users);
    assert!(logins.begin(NOW, ticket("ann", "correct horse")).is_none());
    users.get_mut("ann").unwrap().clients = vec!["cam-7".parse().unwrap()];
    logins.users = Arc::new(users);
    assert!(matches!(refused(next(&mut logins).await), Verified::PutOff(_)));
}

#[tokio::test]
async fn those_who_are_in_are_judged_by_what_their_accounts_are_now() {
    let mut users = with_ann();
    let mut logins = logins(SHARED, &users);
    let (ann, name) = (users.account("ann").unwrap(), "cam-7@cn".parse().unwrap());
    let shared = logins.shared.as_ref().unwrap().account();
    let mut judge = |users: &Users, account: &Account| {
        logins.users = Arc::new(users.clone());
        logins.judge(account, &name)
    };
    assert_eq!((judge(&users, &ann), judge(&users, &shared)), (None, None));
    users.get_mut("ann").unwrap().roles = BTreeSet::from([Role::Operator]);
    assert_eq!(judge(&users, &ann), Some(Dismissal::AccountChanged));
    users.get_mut("ann").unwrap().clients = vec!["cam-8".parse().unwrap()];
    assert_eq!(judge(&users, &ann), Some(Dismissal::RightWithdrawn));
    users.remove("ann").unwrap();
    assert_eq!(judge(&users, &ann), Some(Dismissal::AccountRemoved));
    users.add("bob", "battery staple", [8; 16]).unwrap().clients = vec!["cam-7".parse().unwrap()];
    assert_eq!(judge(&users, &shared), Some(Dismissal::RightWithdrawn), "it is bob's now");
}

#[tokio::test]
async fn a_ticket_stands_in_for_the_password_of_an_account_in_its_state() {
    let mut users = with_ann();
    let mut logins = logins("", &users);
    let account = users.account("ann").unwrap();
    let vouched = Vouched { account: Arc::clone(&account.name), version: account.version };
    assert!(is_accepted(logins.redeem(NOW, &vouched, ticket("", "")).unwrap()));
    users.get_mut("ann").unwrap().roles = BTreeSet::from([Role::Operator]);
    logins.users = Arc::new(users);
    assert_eq!(refused(logins.redeem(NOW, &vouched, ticket("", "")).unwrap()), Verified::Refused);
    assert!(logins.redeem(NOW, &vouched, ticket("ann", "correct horse")).is_none(), "then the password");
    assert!(is_accepted(next(&mut logins).await));
}

#[tokio::test]
async fn whoever_calls_gets_the_account_of_a_password_or_a_token() {
    let mut logins = logins(SHARED, &Users::default());
    let (reply, answer) = oneshot::channel();
    let caller = Ticket { who: Who::Caller { reply }, ..ticket("taoyao", "peach") };
    assert!(logins.begin(NOW, caller).unwrap().tell().is_none());
    assert_eq!(&*answer.await.unwrap().unwrap().name, "taoyao");

    let (reply, answer) = oneshot::channel();
    logins.check_token(Secret("tao_nobody's".into()), IpAddr::from([192, 0, 2, 1]), reply);
    assert!(next(&mut logins).await.tell().is_none());
    assert_eq!(answer.await.unwrap(), Err(NotLetIn::Wrong));
}

#[tokio::test]
async fn one_address_cannot_take_all_places() {
    let mut logins = logins("", &Users::default());
    let mut put_off = 0;
    for nth in 0..1_000 {
        let settled = logins.begin(NOW, ticket(&format!("user-{nth}"), "x"));
        put_off += usize::from(settled.is_some());
    }
    assert!(put_off > 700, "{put_off}");
    let other = Ticket { ip: IpAddr::from([198, 51, 100, 7]), ..ticket("ann", "x") };
    assert!(logins.begin(NOW, other).is_none(), "another one waits");
}

/// Prints how many logins a second are settled, in the ways that there are. By hand:
/// `cargo test --release -p taoyao-node --lib logins_per_second -- --ignored --nocapture`
#[tokio::test]
#[ignore = "a measurement"]
async fn logins_per_second() {
    let mut users = Users::default();
    for nth in 0..200 {
        users.add(&format!("cam-{nth}"), "correct horse", [7; 16]).unwrap();
    }
    let mut logins = logins("", &users);
    let began = std::time::Instant::now();
    for nth in 0..200 {
        assert!(logins.begin(NOW, ticket(&format!("cam-{nth}"), "correct horse")).is_none());
    }
    for _ in 0..200 {
        assert!(is_accepted(next(&mut logins).await));
    }
    let print = |how: &str, count: u32, began: std::time::Instant| {
        let rate = f64::from(count) / began.elapsed().as_secs_f64();
        println!("{how}: {rate:.0}/s, 100000 in {:.1} min", 100_000.0 / rate / 60.0);
    };
    print("looked at", 200, began);
    let began = std::time::Instant::now();
    for nth in 0..20_000 {
        let again = ticket(&format!("cam-{}", nth % 200), "correct horse");
        assert!(is_accepted(logins.begin(NOW, again).unwrap()));
    }
    print("known again", 20_000, began);
    let account = users.account("cam-1").unwrap();
    let vouched = Vouched { account: Arc::clone(&account.name), version: account.version };
    let began = std::time::Instant::now();
    for _ in 0..20_000 {
        assert!(is_accepted(logins.redeem(NOW, &vouched, ticket("", "")).unwrap()));
    }
    print("by ticket", 20_000, began);
}

fn with_ann() -> Users {
    let mut users = Users::default();
    users.add("ann", "correct horse", [7; 16]).unwrap();
    users
}

fn logins(settings: &str, users: &Users) -> Logins {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("users.toml");
    fs::write(&path, users.to_toml()).unwrap();
    let text = format!(
        "org = \"acme\"\n[login]\ndevelopment = true\nusers = {path:?}\n{settings}\n[[node]]\nname = \"cn\"\n"
    );
    let topology = Topology::parse("acme.toml", &text).unwrap();
    let mut logins = Logins::open(topology.login(), "cn".parse().unwrap(), [7; 32]).unwrap();
    // The file goes with this function; what it said stays.
    logins.watched = UsersFile::open(topology_free()).unwrap().watch();
    logins
}

fn topology_free() -> &'static std::path::Path {
    std::path::Path::new("no-such-users.toml")
}

fn ticket(username: &str, password: &str) -> Ticket {
    let credentials = Credentials { username: username.to_owned(), password: password.to_owned() };
    let who = Who::Terminal { conn: ConnId(1), number: 1, name: "cam-7@cn".parse().unwrap() };
    Ticket { who, ip: IpAddr::from([192, 0, 2, 1]), credentials }
}

/// The next login that is settled.
async fn next(logins: &mut Logins) -> Settled {
    loop {
        match logins.next().await {
            Heard::Checked(checked) => return logins.finish(NOW, checked),
            Heard::Settled(settled) => return settled,
            Heard::Lost | Heard::Users => {}
        }
    }
}

fn is_accepted(settled: Settled) -> bool {
    matches!(settled.tell(), Some(Input::Verified { verified: Verified::Accepted(_), .. }))
}

fn refused(settled: Settled) -> Verified {
    let Some(Input::Verified { verified, .. }) = settled.tell() else { panic!("for no terminal") };
    verified
}
