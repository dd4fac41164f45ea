//! Several devices, many conversations, cut at any byte, in any order: they end up with the same, and
//! nothing that was acknowledged is ever missing. Every run can be replayed from its seed:
//! `INTACT_SEED=<n> cargo nextest run -p exchange --test sim`.

mod memory;

use std::collections::VecDeque;

use exchange::drive::act;
use exchange::{Conversation, Effect, Frame, Me, Store};
use futures_util::FutureExt;
use memory::{Dice, FIELD, Members, Memory, OPERATION};

/// One end of a conversation.
struct End {
    store: Memory,
    key: [u8; 32],
    conversation: Conversation,
    effects: VecDeque<Effect>,
    /// Bytes that have arrived and are no whole frame yet.
    arrived: Vec<u8>,
    /// Bytes on their way to the other end.
    sent: VecDeque<u8>,
    bytes: u64,
    over: bool,
    /// Whether an acknowledgement must be true to the letter: not where a store lost its memory.
    strict: bool,
}

impl End {
    fn new(store: &Memory, peer: &Memory, stay: bool) -> Self {
        let me = Me {
            operation: OPERATION,
            device: store.me.device,
            store: store.id,
            desk: store.me.desk,
            reconciles: store.reconciles,
            stay,
        };
        let known = store.peer(&peer.network).expect("every member is enrolled");
        let (conversation, effects) = Conversation::start(me, known);
        Self {
            store: store.clone(),
            key: peer.network,
            conversation,
            effects: effects.into(),
            arrived: Vec::new(),
            sent: VecDeque::new(),
            bytes: 0,
            over: false,
            strict: true,
        }
    }

    /// Does one effect; `Err` is why the peer was dropped.
    fn step(&mut self, peer: &Memory) -> Result<(), String> {
        match self.effects.pop_front() {
            None => {}
            Some(Effect::Send(bytes)) => {
                self.bytes += bytes.len() as u64 + 4;
                self.sent.extend((bytes.len() as u32).to_be_bytes());
                self.sent.extend(bytes);
            }
            Some(Effect::Done) => self.over = true,
            Some(Effect::Ended(reason)) => return Err(reason),
            Some(Effect::Drop(reason)) => return Err(reason.to_owned()),
            Some(effect) => {
                if let Effect::Acked(ack) = &effect
                    && self.strict
                {
                    let missing = peer.misses_up_to(&self.store, ack.up_to);
                    assert!(missing.is_empty(), "{} acknowledged {} and lacks {missing:?}", peer.id.short(), ack.up_to);
                }
                let more = act(&self.store, &self.key, &mut self.conversation, effect).now_or_never();
                let more = more.expect("memory does not wait").expect("memory does not fail");
                more.into_iter().rev().for_each(|effect| self.effects.push_front(effect));
            }
        }
        Ok(())
    }

    fn arrive(&mut self, bytes: impl Iterator<Item = u8>) {
        self.arrived.extend(bytes);
    }

    /// Takes the next whole frame, once nothing else is due.
    fn read(&mut self) {
        let Some((length, rest)) = self.arrived.split_first_chunk::<4>() else { return };
        let length = u32::from_be_bytes(*length) as usize;
        if let Some(frame) = rest.get(..length) {
            let effects = self.conversation.frame(frame);
            self.effects.extend(effects);
            self.arrived.drain(..4 + length);
        }
    }
}

/// Two ends and the wire between them.
struct Session {
    ends: [End; 2],
}

impl Session {
    fn new(stores: &[Memory], a: usize, b: usize, stay: bool) -> Self {
        let ends = [End::new(&stores[a], &stores[b], false), End::new(&stores[b], &stores[a], stay)];
        Self { ends }
    }
    fn lenient(mut self) -> Self {
        self.ends.iter_mut().for_each(|end| end.strict = false);
        self
    }
    fn is_still(&self) -> bool {
        self.ends.iter().all(|end| end.effects.is_empty() && end.sent.is_empty() && !self.has_frame(end))
    }
    fn has_frame(&self, end: &End) -> bool {
        end.arrived.split_first_chunk::<4>().is_some_and(|(n, rest)| rest.len() >= u32::from_be_bytes(*n) as usize)
    }
    /// One thing happens at one end.
    fn step(&mut self, side: usize, bytes: usize) -> Result<(), String> {
        let [first, second] = &mut self.ends;
        let (end, other) = if side == 0 { (first, second) } else { (second, first) };
        if end.effects.is_empty() {
            let count = bytes.min(other.sent.len());
            end.arrive(other.sent.drain(..count));
            end.read();
            return Ok(());
        }
        let peer = other.store.clone();
        end.step(&peer)
    }
    /// Runs to the end; what it moved, both ways.
    fn run(mut self) -> (exchange::Summary, exchange::Summary, u64) {
        for turn in 0..2_000_000 {
            if self.ends[0].over && self.is_still() {
                break;
            }
            assert!(turn < 1_999_999 && !(self.is_still() && turn > 0), "a conversation stands still");
            for side in 0..2 {
                if let Err(reason) = self.step(side, 100_000) {
                    panic!("dropped: {reason}");
                }
            }
        }
        let bytes = self.ends[0].bytes + self.ends[1].bytes;
        let [first, second] = self.ends;
        (first.conversation.summary().clone(), second.conversation.summary().clone(), bytes)
    }
}

fn country() -> Vec<Memory> {
    let members = Members::new();
    [(1, "a", true), (2, "a", true), (3, "b", true), (4, "c", true), (5, "a", false)]
        .into_iter()
        .map(|(seed, agency, desk)| Memory::new(seed, agency, desk, &members))
        .collect()
}

fn author(stores: &[Memory], dice: &mut Dice) {
    let store = &stores[dice.below(stores.len())];
    // A device reads what it writes: its own agency's bit, or the field's and its agency's.
    let own = match (store.me.desk, store.me.agency.as_str()) {
        (false, _) => FIELD | 1,
        (true, "a") => 1,
        (true, "b") => 2,
        _ => 4,
    };
    let record = own | (dice.next() as u8 & (FIELD | 7));
    let text: Vec<u8> = (0..dice.below(400)).map(|_| dice.next() as u8).collect();
    let exhibit: Option<Vec<u8>> = dice.chance(6).then(|| (0..=dice.below(5000)).map(|_| dice.next() as u8).collect());
    store.append(record, &text, exhibit.as_deref());
    if dice.chance(9) {
        store.add_name(dice.next());
    }
}

/// One seeded run: authors write, conversations begin, go on byte by byte, and are cut.
fn run(seed: u64) {
    let mut dice = Dice::new(seed);
    let stores = country();
    let mut sessions: Vec<Session> = Vec::new();
    for _ in 0..6000 {
        match dice.below(100) {
            0..3 => author(&stores, &mut dice),
            3 if sessions.len() < 4 => {
                let (a, b) = (dice.below(stores.len()), dice.below(stores.len()));
                // A field device talks to desks.
                if a != b && (stores[b].me.desk || stores[a].me.desk) {
                    sessions.push(Session::new(&stores, a, b, dice.chance(2)));
                }
            }
            4 if !sessions.is_empty() => {
                let cut = dice.below(sessions.len());
                // A cut at any byte, between any two effects.
                if dice.chance(3) {
                    sessions.swap_remove(cut);
                }
            }
            5 if !sessions.is_empty() => {
                let at = dice.below(sessions.len());
                let side = dice.below(2);
                let effects = sessions[at].ends[side].conversation.changed();
                sessions[at].ends[side].effects.extend(effects);
            }
            _ if !sessions.is_empty() => {
                let at = dice.below(sessions.len());
                let (side, bytes) = (dice.below(2), 1 + dice.below(2000));
                if let Err(reason) = sessions[at].step(side, bytes) {
                    panic!("seed {seed}: an honest peer was dropped: {reason}");
                }
                if sessions[at].ends[0].over {
                    sessions.swap_remove(at);
                }
            }
            _ => {}
        }
    }
    drop(sessions);
    heal(seed, &stores);
}

/// Everybody talks to everybody, twice, uncut.
fn heal(seed: u64, stores: &[Memory]) {
    for _ in 0..2 {
        for a in 0..stores.len() {
            for b in 0..a {
                Session::new(stores, a, b, (a + b) % 2 == 0).run();
            }
        }
    }
    for store in stores {
        assert_eq!(store.is_complete(stores), Ok(()), "seed {seed}");
        assert!(store.holds_only_its_own(), "seed {seed}");
    }
    // Everything was exchanged: another conversation moves nothing.
    let before: Vec<usize> = stores.iter().map(Memory::commits).collect();
    let (first, second, _) = Session::new(stores, 0, 2, true).run();
    assert_eq!((first.received.entries, second.received.entries, first.behind, second.behind), (0, 0, 0, 0));
    assert_eq!(before, stores.iter().map(Memory::commits).collect::<Vec<_>>());
}

#[test]
fn they_converge_whatever_is_cut() {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().expect("a number"));
    match (number("INTACT_SEED"), number("INTACT_CASES")) {
        (Some(seed), None) => run(seed),
        (seed, runs) => {
            let first = seed.unwrap_or(0) * 1_000_000;
            (first..first + runs.unwrap_or(40)).for_each(run);
        }
    }
}

#[test]
fn a_run_is_replayed_from_its_seed() {
    let trace = |seed| {
        let mut dice = Dice::new(seed);
        let stores = country();
        (0..40).for_each(|_| author(&stores, &mut dice));
        let (first, second, bytes) = Session::new(&stores, 0, 2, true).run();
        (first, second, bytes, stores.iter().map(Memory::commits).collect::<Vec<_>>())
    };
    assert_eq!(trace(5), trace(5));
}

#[test]
fn what_came_from_a_peer_is_not_sent_back() {
    let stores = country();
    (0..300).for_each(|_| {
        stores[0].append(7, &[1; 200], None);
    });
    let (caller, _, bytes) = Session::new(&stores, 2, 0, true).run();
    assert_eq!((caller.received.entries, caller.sent_entries), (300, 0));
    assert!(bytes < 300 * 330 + 20_000, "{bytes} bytes for 300 entries");
    let (_, _, again) = Session::new(&stores, 2, 0, true).run();
    assert!(again < 2000, "{again} bytes for nothing");
}

#[test]
fn a_new_peer_that_has_it_all_from_another_is_reconciled_with() {
    let stores = country();
    (0..800).for_each(|_| {
        stores[0].append(7, &[1; 200], None);
    });
    Session::new(&stores, 2, 0, true).run();
    Session::new(&stores, 3, 0, true).run();
    (0..40).for_each(|_| {
        stores[2].append(7, &[2; 200], None);
    });
    (0..30).for_each(|_| {
        stores[3].append(2, &[3; 200], None);
    });
    // b and c meet for the first time: only what differs goes over the wire.
    let (first, second, bytes) = Session::new(&stores, 2, 3, true).run();
    assert!(first.reconciled && second.reconciled);
    assert_eq!((first.received.entries, second.received.entries), (30, 40));
    assert!(bytes < 70 * 400 + 40_000, "{bytes} bytes for 70 entries of 870");
    assert!(stores[2].cursor_for(&stores[3]) >= 830);
    assert_eq!(stores[2].is_complete(&stores[2..4]), Ok(()));
    let (_, _, again) = Session::new(&stores, 2, 3, true).run();
    assert!(again < 2000, "{again} bytes for nothing");
}

/// A page of the store that takes several parts, cut again and again between any two of them: only its
/// last part moves the cursor.
#[test]
fn a_page_in_parts_is_acknowledged_at_its_end() {
    let mut stores = country();
    stores[0].page = 100;
    (0..60).for_each(|n| {
        stores[0].append(3, &[n; 60_000], None);
    });
    let mut cursors = std::collections::BTreeSet::new();
    for cut_after in (10..2000).step_by(9) {
        let mut session = Session::new(&stores, 2, 0, true);
        for _ in 0..cut_after {
            (0..2).for_each(|side| session.step(side, 50_000).unwrap());
        }
        cursors.insert(stores[2].cursor_for(&stores[0]));
        if session.ends[0].over {
            break;
        }
    }
    assert_eq!(cursors.into_iter().collect::<Vec<_>>(), [0, 60]);
    assert_eq!(stores[2].is_complete(&stores[0..1]), Ok(()));
}

/// The link came from a desk that may not read the record; heads and ids are the same at both sides,
/// and only the body is missing.
#[test]
fn a_body_is_missed_where_the_link_is_held() {
    let stores = country();
    (0..600).for_each(|_| {
        stores[0].append(7, &[1; 20], None);
    });
    let hidden = stores[0].append(3, b"for a and b", None);
    for (caller, called) in [(1, 0), (3, 0), (2, 3)] {
        Session::new(&stores, caller, called, true).run();
    }
    assert!(stores[2].holds(&hidden) && stores[2].entries() == 600, "b holds the link alone");
    let (first, _, bytes) = Session::new(&stores, 2, 1, true).run();
    assert_eq!((first.received.entries, first.reconciled), (1, true));
    assert!(bytes < 20_000, "{bytes} bytes for one body");
    assert_eq!(stores[2].is_complete(&stores[0..2]), Ok(()));
}

#[test]
fn a_cursor_that_the_heads_contradict_is_doubted() {
    let stores = country();
    (0..30).for_each(|_| {
        stores[3].append(7, &[1; 50], None);
    });
    let image = stores[2].lock().clone();
    Session::new(&stores, 3, 2, true).lenient().run();
    Session::new(&stores, 0, 2, true).lenient().run();
    // b is restored from an old image; what it hears next gets the commit numbers that a has seen.
    *stores[2].lock() = image;
    (0..20).for_each(|_| {
        stores[1].append(7, &[2; 50], None);
    });
    Session::new(&stores, 1, 2, true).lenient().run();
    Session::new(&stores, 3, 2, true).lenient().run();
    assert!(stores[0].cursor_for(&stores[2]) > 0);
    let (first, _, _) = Session::new(&stores, 0, 2, true).lenient().run();
    assert_eq!((first.reconciled, first.behind), (true, 0));
    assert_eq!(stores[0].is_complete(&stores), Ok(()));
}

#[test]
fn nobody_moves_the_cursor_of_anothers_store() {
    let mut stores = country();
    (0..20).for_each(|n| {
        stores[2].append(7, &[n], None);
    });
    // c claims the id of b's store, and has more commits than b.
    stores[3].id = stores[2].id;
    (0..50).for_each(|n| {
        stores[3].append(7, &[n], None);
    });
    Session::new(&stores, 0, 3, true).run();
    assert_eq!((stores[0].cursor_for(&stores[3]), stores[0].cursor_for(&stores[2])), (50, 0));
    let (first, _, _) = Session::new(&stores, 0, 2, true).run();
    assert_eq!(first.received.entries, 20);
}

#[test]
fn without_reconciling_a_doubt_is_reported() {
    let mut stores = country();
    stores[0].reconciles = false;
    (0..30).for_each(|_| {
        stores[2].append(7, &[1; 50], None);
    });
    Session::new(&stores, 0, 2, true).lenient().run();
    // A peer claims more than it gives: the cursor stands beyond.
    let name = exchange::frame::store_name(&stores[2].me.device, &stores[2].id);
    stores[2].append(7, b"more", None);
    stores[0].put_cursor(&name, 31).now_or_never().unwrap().unwrap();
    let (first, _, _) = Session::new(&stores, 0, 2, true).lenient().run();
    assert_eq!((first.reconciled, first.behind), (false, 1));
}

#[test]
fn a_revoked_device_gets_the_roster_and_is_heard() {
    let stores = country();
    stores[0].append(7, b"not for it", None);
    stores[0].add_name(1);
    let unsent = stores[2].append(3, b"honest and unsent", Some(&[5; 3000]));
    stores[0].members.revoke(stores[2].me.device);
    let (revoked, desk, _) = Session::new(&stores, 2, 0, true).run();
    assert_eq!((revoked.received.entries, desk.received.entries), (0, 1));
    assert_eq!(stores[2].commits(), 2, "its own entry and the name");
    assert!(stores[0].holds(&unsent));
    assert_eq!(stores[0].is_complete(&[stores[2].clone()]), Ok(()), "its exhibit too");
}

#[test]
fn a_revocation_counts_in_the_middle_of_a_conversation() {
    let stores = country();
    (0..50).for_each(|_| {
        stores[0].append(7, &[1; 300], None);
    });
    let mut session = Session::new(&stores, 2, 0, true);
    while stores[2].entries() == 0 {
        (0..2).for_each(|side| session.step(side, 100_000).unwrap());
    }
    stores[0].members.revoke(stores[2].me.device);
    while !session.ends[0].over && (0..2).all(|side| session.step(side, 100_000).is_ok()) {}
    // At most the page under way and the one that was loaded.
    assert!(stores[2].entries() <= 14, "{}", stores[2].entries());
}

#[test]
fn the_caller_takes_along_what_its_call_brings_about() {
    let stores = country();
    stores[0].append(7, b"a referral", None);
    let mut session = Session::new(&stores, 2, 0, true);
    let mut answered = false;
    for _ in 0..10_000 {
        if stores[2].entries() == 1 && !answered {
            // As a desk does on taking in a referral: an entry of its own, "received".
            stores[2].append(7, b"received", None);
            answered = true;
        }
        (0..2).for_each(|side| session.step(side, 100_000).unwrap());
    }
    assert!(session.ends[0].over);
    assert_eq!(stores[0].entries(), 2);
}

/// Everything that a peer may say out of turn.
#[test]
fn a_peer_that_breaks_a_rule_is_dropped() {
    let stores = country();
    let drop_reason = |frames: &[Frame]| {
        let mut end = End::new(&stores[0], &stores[2], true);
        let hello = Frame::Hello(exchange::frame::Hello {
            operation: exchange::frame::operation_tag(&OPERATION),
            device: stores[2].me.device,
            store: stores[2].id,
            reconciles: true,
        });
        for frame in std::iter::once(&hello).chain(frames) {
            let effects = end.conversation.frame(&frame.encode());
            end.effects.extend(effects);
            while !end.effects.is_empty() {
                if let Err(reason) = end.step(&stores[2]) {
                    return Some(reason);
                }
            }
        }
        None
    };
    let since = |sparse| Frame::Since { after: 0, sparse, heads: Vec::new() };
    let page = |sparse| Frame::Page { next: 0, done: true, sparse };
    assert_eq!(drop_reason(&[since(false), page(false)]), None, "nothing is wrong with this");
    let part = Frame::BlobPart { address: seal::BlobAddress([1; 32]), offset: 0, total: 1, bytes: vec![1] };
    let forged = exchange::frame::Ack::sign(seal::Hash32([1; 32]), 0, 0, &stores[2].signing);
    let name = exchange::frame::store_name(&stores[0].me.device, &stores[0].id);
    let by_another = exchange::frame::Ack::sign(name, 0, 0, &stores[3].signing);
    let too_far = exchange::frame::Ack::sign(name, 9, 0, &stores[2].signing);
    let wrong: &[&[Frame]] = &[
        &[since(false), since(false)],
        &[since(false), Frame::Ack(forged)],
        &[since(false), Frame::Ack(by_another)],
        &[since(false), Frame::Ack(too_far)],
        &[page(true)],
        &[part],
        &[Frame::More],
        &[Frame::Given { done: true }],
        &[Frame::Reconcile(vec![0x61])],
        &[Frame::Reconciled(vec![0x61])],
        &[Frame::WantIds(Vec::new())],
        &[Frame::Enough(5)],
        &[since(true), Frame::Reconcile(vec![0x50])],
        &[since(true), since(true)],
    ];
    for frames in wrong {
        assert!(drop_reason(frames).is_some(), "{frames:?}");
    }
    assert_eq!(drop_reason(&[Frame::Bye("\u{1b}[2Jgone".into())]).as_deref(), Some("[2Jgone"));
    assert!(drop_reason(&[Frame::Bye(String::new())]).is_some(), "it left too early");
}

#[test]
fn a_flood_and_a_silence_end_a_conversation() {
    let stores = country();
    let mut end = End::new(&stores[0], &stores[2], true);
    let hello = End::new(&stores[2], &stores[0], true).effects.pop_front();
    let Some(Effect::Send(hello)) = hello else { panic!("a hello comes first") };
    end.effects = end.conversation.frame(&hello).into();
    while !end.effects.is_empty() {
        end.step(&stores[2]).unwrap();
    }
    let name = {
        stores[2].add_name(3);
        let page = stores[2].outgoing(&stores[0].me, 0).now_or_never().unwrap().unwrap();
        page.frames[0].encode()
    };
    let dropped =
        (0..20_000).any(|_| end.conversation.frame(&name).contains(&Effect::Drop("a page is over its bound")));
    assert!(dropped, "a page without end");
    assert!(end.conversation.frame(&name).is_empty(), "nothing is heard after the end");
    let mut quiet = End::new(&stores[0], &stores[2], true);
    let silent = (0..12).map(|_| quiet.conversation.tick()).last();
    assert_eq!(silent, Some(vec![Effect::Drop("it fell silent")]));
}
