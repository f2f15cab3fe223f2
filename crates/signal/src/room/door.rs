//! Who may try a room's password, and when: every wrong guess makes the next one wait longer.
//!
//! Guesses are charged to the account and not to the terminal, whose name is free, and to all strangers together. Who owns
//! the room, or has been in it, is charged for its own mistakes alone: nobody can lock it out.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use taoyao_types::{AccountTag, Instant, TerminalName, limits};

use super::shares::Holder;

/// The guesses at one room's password.
#[derive(Debug, Default)]
pub(crate) struct Door {
    strangers: BTreeMap<Holder, Patience>,
    /// All of them together.
    all_strangers: Patience,
    /// Who has been in, the oldest first, and the room's owner once it has guessed.
    acquainted: VecDeque<(Guest, Patience)>,
}

/// A terminal under its account.
type Guest = (AccountTag, TerminalName);

/// As whom somebody tries a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Guesser {
    Stranger(Holder),
    /// The room's owner, or one who has been in the room.
    Acquainted(Guest),
}

/// Guesses that were not right, and how long the next one has to wait.
#[derive(Debug, Clone, Default)]
struct Patience {
    wrong: u32,
    until: Instant,
    last: Instant,
}

impl Door {
    /// Who this is to the room.
    pub(crate) fn guesser(
        &self,
        holder: Holder,
        account: AccountTag,
        name: &TerminalName,
        is_owner: bool,
    ) -> Guesser {
        let guest = (account, name.clone());
        if is_owner || self.acquainted.iter().any(|(known, _)| *known == guest) {
            Guesser::Acquainted(guest)
        } else {
            Guesser::Stranger(holder)
        }
    }

    /// Counts a guess, which is thought wrong until [`Door::right`] says otherwise: many at once are no way around.
    ///
    /// # Errors
    /// It has to wait so long.
    pub(crate) fn knock(&mut self, now: Instant, guesser: &Guesser) -> Result<(), Duration> {
        match guesser {
            Guesser::Acquainted(guest) => {
                let known = self.acquainted.iter_mut().find(|(known, _)| known == guest);
                match known {
                    Some((_, patience)) => patience.take(now, ALONE),
                    None => {
                        let mut patience = Patience::default();
                        patience.take(now, ALONE)?;
                        self.remember(guest.clone(), patience);
                        Ok(())
                    }
                }
            }
            Guesser::Stranger(holder) => {
                self.make_room_for(now, holder);
                let of_account = self.strangers.entry(*holder).or_default();
                of_account.waits(now).and(self.all_strangers.waits(now))?;
                of_account.take(now, ALONE)?;
                self.all_strangers.take(now, TOGETHER)
            }
        }
    }

    /// The guess was right: it is not held against anybody, and the terminal is no stranger any more.
    pub(crate) fn right(&mut self, guesser: Guesser, account: AccountTag, name: &TerminalName) {
        if let Guesser::Stranger(holder) = &guesser {
            self.strangers.remove(holder);
            self.all_strangers.wrong = self.all_strangers.wrong.saturating_sub(1);
        }
        self.let_in(account, name);
    }

    /// The guess was not looked at after all.
    pub(crate) fn put_off(&mut self, guesser: &Guesser) {
        let patience = match guesser {
            Guesser::Stranger(holder) => {
                self.all_strangers.take_back();
                self.strangers.get_mut(holder)
            }
            Guesser::Acquainted(guest) => {
                let known = self.acquainted.iter_mut().find(|(known, _)| known == guest);
                known.map(|(_, patience)| patience)
            }
        };
        if let Some(patience) = patience {
            patience.take_back();
        }
    }

    /// The terminal is in, by whatever way.
    pub(crate) fn let_in(&mut self, account: AccountTag, name: &TerminalName) {
        self.remember((account, name.clone()), Patience::default());
    }

    fn remember(&mut self, guest: Guest, patience: Patience) {
        self.acquainted.retain(|(known, _)| *known != guest);
        if self.acquainted.len() >= limits::ROOM_ACQUAINTED_MAX {
            self.acquainted.pop_front();
        }
        self.acquainted.push_back((guest, patience));
    }

    /// Forgets whoever may try again soonest; all strangers together still wait.
    fn make_room_for(&mut self, now: Instant, holder: &Holder) {
        if self.strangers.len() < limits::ROOM_GUESSERS_MAX || self.strangers.contains_key(holder) {
            return;
        }
        self.strangers.retain(|_, patience| !patience.is_over(now));
        if self.strangers.len() >= limits::ROOM_GUESSERS_MAX {
            let soonest = self.strangers.iter().min_by_key(|(_, patience)| patience.until);
            if let Some(soonest) = soonest.map(|(holder, _)| *holder) {
                self.strangers.remove(&soonest);
            }
        }
    }
}

/// How many guesses cost nothing, and the longest wait.
type Rule = (u32, Duration);
const ALONE: Rule = (limits::ROOM_GUESSES_FREE, limits::ROOM_GUESS_WAIT_MAX);
const TOGETHER: Rule = (limits::ROOM_STRANGERS_GUESSES_FREE, limits::ROOM_STRANGERS_WAIT_MAX);

impl Patience {
    fn is_over(&self, now: Instant) -> bool {
        now.since(self.last) >= limits::ROOM_GUESSES_REMEMBERED
    }

    fn waits(&self, now: Instant) -> Result<(), Duration> {
        if self.until > now { Err(self.until.since(now)) } else { Ok(()) }
    }

    fn take_back(&mut self) {
        self.wrong = self.wrong.saturating_sub(1);
        self.until = self.last;
    }

    fn take(&mut self, now: Instant, (free, longest): Rule) -> Result<(), Duration> {
        self.waits(now)?;
        if self.is_over(now) {
            self.wrong = 0;
        }
        self.wrong = self.wrong.saturating_add(1);
        self.last = now;
        if let Some(beyond) = self.wrong.checked_sub(free) {
            let wait = Duration::from_secs(1u64.checked_shl(beyond).unwrap_or(u64::MAX));
            self.until = now + wait.min(longest);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use taoyao_types::NodeId;
    use taoyao_wire::link::{RoomAct, RoomRequest};

    use super::*;

    const HOUR: Duration = Duration::from_secs(3_600);

    fn stranger(account: &str) -> Guesser {
        let request = RoomRequest {
            from: "x@cn".parse().unwrap(),
            session: Default::default(),
            account: AccountTag::of(account),
            room: String::new(),
            is_operator: false,
            act: RoomAct::Leave,
        };
        Guesser::Stranger(Holder::of(NodeId(1), &request))
    }

    /// Guesses that these accounts get looked at in so long, when they try all the time.
    fn looked_at(door: &mut Door, accounts: &[Guesser], span: Duration) -> usize {
        let (mut now, mut count) = (Instant(1_000_000), 0);
        let end = now + span;
        while now < end {
            count += accounts.iter().filter(|account| door.knock(now, account).is_ok()).count();
            now = now + Duration::from_secs(1);
        }
        count
    }

    #[test]
    fn a_pin_of_four_digits_takes_one_account_weeks_and_a_hundred_accounts_days() {
        let one = looked_at(&mut Door::default(), &[stranger("ann")], 24 * HOUR);
        assert!((280..=310).contains(&one), "{one} guesses in a day: 10,000 take more than a month");
        let many: Vec<Guesser> = (0..100).map(|n| stranger(&format!("a{n}"))).collect();
        let many = looked_at(&mut Door::default(), &many, 24 * HOUR);
        assert!((1_400..=1_500).contains(&many), "{many} guesses in a day: 10,000 take a week");
    }

    /// A guess whose fate is of no interest.
    fn knock_once(door: &mut Door, now: Instant, account: &str) {
        door.knock(now, &stranger(account)).unwrap_or_default();
    }

    #[test]
    fn nobody_keeps_the_owner_or_one_who_was_in_before_out() {
        let mut door = Door::default();
        let (now, guest) = (Instant(1_000_000), "b@cn".parse::<TerminalName>().unwrap());
        let account = AccountTag::of("bob");
        let Guesser::Stranger(holder) = stranger("bob") else { panic!() };
        door.let_in(account, &guest);
        for n in 0..300 {
            knock_once(&mut door, now, &format!("a{n}"));
        }
        (0..9).for_each(|_| knock_once(&mut door, now, "bob"));
        assert!(door.knock(now, &stranger("carl")).is_err(), "strangers wait");
        let known = door.guesser(holder, account, &guest, false);
        assert_eq!(door.knock(now, &known), Ok(()));
        let owner = door.guesser(holder, account, &"owner@cn".parse().unwrap(), true);
        assert_eq!(door.knock(now, &owner), Ok(()));
        // A namesake under another account is a stranger.
        let namesake = door.guesser(holder, AccountTag::of("eve"), &guest, false);
        assert_eq!(namesake, Guesser::Stranger(holder));
    }

    #[test]
    fn right_guesses_cost_nothing_and_wrong_ones_are_forgotten() {
        let mut door = Door::default();
        let now = Instant(1_000_000);
        for n in 0..200 {
            let guesser = stranger("ann");
            assert_eq!(door.knock(now, &guesser), Ok(()));
            door.right(guesser, AccountTag::of("ann"), &format!("a{n}@cn").parse().unwrap());
        }
        for _ in 0..20 {
            knock_once(&mut door, now, "ann");
        }
        assert!(door.knock(now, &stranger("ann")).is_err());
        let later = now + limits::ROOM_GUESSES_REMEMBERED;
        let free = (0..20).filter(|_| door.knock(later, &stranger("ann")).is_ok()).count();
        assert_eq!(free, limits::ROOM_GUESSES_FREE as usize);
    }

    #[test]
    fn memory_is_bounded_however_many_accounts_guess() {
        let mut door = Door::default();
        for n in 0..2_000 {
            let now = Instant(1_000_000 * n);
            knock_once(&mut door, now, &format!("a{n}"));
            door.let_in(AccountTag::of("x"), &format!("x{n}@cn").parse().unwrap());
        }
        assert!(door.strangers.len() <= limits::ROOM_GUESSERS_MAX);
        assert_eq!(door.acquainted.len(), limits::ROOM_ACQUAINTED_MAX);
    }
}
