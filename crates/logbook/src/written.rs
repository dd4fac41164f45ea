//! The texts of a report, merged from the changes that people made to them at once.
//!
//! Each section is one Automerge text. The first change makes the text, by an actor of sixteen zero
//! bytes; each `write` is one change by an actor that is its entry id, on the heads that the changes
//! left on which it was made. Automerge is handed no change from outside: it merges what is made here
//! from entries that the fold found valid, so whoever holds the same entries reads the same text.

use std::collections::{BTreeSet, HashMap};

use automerge::transaction::{CommitOptions, Transactable};
use automerge::{
    ActorId, Automerge, AutomergeError, ChangeHash, ObjId, ObjType, PatchLog, ROOT, ReadDoc, TextEncoding,
};
use seal::EntryId;

use crate::action::Write;
use crate::action::report::MAX_BASE;
use crate::causality::Mark;
use crate::record_state::Written;

/// Changes of one section that are merged: a shift of continuous writing. What comes after them in
/// fold order is kept in the record and not in the text.
pub const MAX_WRITES: usize = 8192;

/// One section's text.
pub struct Text {
    document: Automerge,
    object: ObjId,
    /// What each change left as heads, for those that are made on it.
    heads: HashMap<EntryId, Vec<ChangeHash>>,
    /// The changes on which no other was made.
    tips: BTreeSet<EntryId>,
    first: Vec<ChangeHash>,
}

/// A text was named that is not known here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the text that this was made on is not known here")]
pub struct UnknownBase;

impl Text {
    /// Merges a section's changes, which stand in fold order.
    pub fn of(writes: &[Written]) -> Result<Self, AutomergeError> {
        let mut document = Automerge::new_with_encoding(TextEncoding::UnicodeCodePoint);
        document.set_actor(ActorId::from([0u8; 16]));
        let mut start = document.transaction();
        let object = start.put_object(ROOT, "text", ObjType::Text)?;
        start.commit_with(CommitOptions::default().with_time(0));
        let first = document.get_heads();
        let mut text = Self { document, object, heads: HashMap::new(), tips: BTreeSet::new(), first };
        let mut marks: HashMap<EntryId, &Mark> = HashMap::new();
        for written in writes.iter().take(MAX_WRITES) {
            let seen = |entry: &&EntryId| marks.get(entry).is_some_and(|mark| written.past.holds(mark));
            let base: Vec<EntryId> = written.write.base.iter().filter(seen).copied().collect();
            text.change(written.mark.entry, &base, &written.write)?;
            marks.insert(written.mark.entry, &written.mark);
        }
        Ok(text)
    }

    fn heads_of(&self, base: &[EntryId]) -> Vec<ChangeHash> {
        let known = base.iter().filter_map(|entry| self.heads.get(entry));
        let mut heads: Vec<ChangeHash> = known.flatten().copied().collect();
        heads.sort_unstable();
        heads.dedup();
        if heads.is_empty() { self.first.clone() } else { heads }
    }

    fn change(&mut self, entry: EntryId, base: &[EntryId], write: &Write) -> Result<(), AutomergeError> {
        let heads = self.heads_of(base);
        self.document.set_actor(ActorId::from(entry.0));
        let on = self.document.transaction_at(PatchLog::inactive(), &heads);
        let mut transaction = on.map_err(|_| AutomergeError::Fail)?;
        let length = transaction.length(&self.object);
        let at = length.min(write.at as usize);
        let delete = (length - at).min(write.delete as usize);
        transaction.splice_text(&self.object, at, delete as isize, &write.insert)?;
        let (made, _) = transaction.commit_with(CommitOptions::default().with_time(0));
        self.heads.insert(entry, made.map_or(heads, |made| vec![made]));
        self.tips.retain(|tip| !base.contains(tip));
        self.tips.insert(entry);
        Ok(())
    }

    /// The text as everybody's changes make it.
    pub fn read(&self) -> String {
        self.document.text(&self.object).unwrap_or_default()
    }

    /// The changes that it ends in, ascending: what the next change is made on.
    pub fn tips(&self) -> Vec<EntryId> {
        self.tips.iter().copied().take(MAX_BASE).collect()
    }

    /// The change of somebody who made `text` out of the text that these changes ended in; nothing
    /// where they are the same.
    pub fn changed(&self, section: &str, base: &[EntryId], text: &str) -> Result<Option<Write>, UnknownBase> {
        let mut base = base.to_vec();
        base.sort_unstable();
        base.dedup();
        if base.iter().any(|entry| !self.heads.contains_key(entry)) {
            return Err(UnknownBase);
        }
        let before = self.document.text_at(&self.object, &self.heads_of(&base)).map_err(|_| UnknownBase)?;
        let change = Change::between(&before, text);
        Ok(change.map(|Change { at, delete, insert }| Write { section: section.to_owned(), base, at, delete, insert }))
    }
}

/// A change of a text: where, how many characters go, what comes instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Unicode scalar values before it.
    pub at: u32,
    /// How many go.
    pub delete: u32,
    /// What comes.
    pub insert: String,
}

impl Change {
    /// The one change that makes one text of another; `None` where they are the same.
    pub fn between(before: &str, after: &str) -> Option<Self> {
        if before == after {
            return None;
        }
        let same = |(a, b): &(char, char)| a == b;
        let start = before.chars().zip(after.chars()).take_while(same).count();
        let (old, new) = (before.chars().count(), after.chars().count());
        let end = before.chars().rev().zip(after.chars().rev()).take_while(same).count().min(old.min(new) - start);
        let insert = after.chars().skip(start).take(new - start - end).collect();
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        Some(Self { at: number(start), delete: number(old - start - end), insert })
    }
}

#[cfg(test)]
mod tests {
    use super::Change;

    #[test]
    fn one_change_makes_any_text_of_any_other() {
        let texts = ["", "a", "aa", "aba", "البريد", "البرد", "one two", "one 2 two", "𝄞𝄞", "𝄞é𝄞"];
        for before in texts {
            for after in texts {
                let Some(change) = Change::between(before, after) else {
                    assert_eq!(before, after);
                    continue;
                };
                let (at, gone) = (change.at as usize, change.delete as usize);
                let kept = before.chars().take(at).chain(change.insert.chars());
                let made: String = kept.chain(before.chars().skip(at + gone)).collect();
                assert_eq!(made, after, "{before:?} to {after:?}: {change:?}");
            }
        }
    }
}
