//! Dossiers that are wrong in one place and rightly signed everywhere else: what an exporter could make who
//! wants to hide something.
#![allow(dead_code)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use dossier::archive::Tree;
use dossier::bag::BagWriter;
use dossier::export::redact;
use dossier::layout::{self, EnvelopeLine, RedactedLine, Redaction, RosterLine, Statement};
use dossier::sshsig::{NAMESPACE, SshSig, sha512};
use dossier::{DossierSource, Verdict, export, seal_file, verify};
use seal::{EntryId, Hash32, Header};

use super::story::Story;

/// The folder of the one record.
pub const RECORD: &str = "data/case/EMB-0421-0007";

/// A dossier taken apart.
pub struct Forge {
    temp: tempfile::TempDir,
    /// Payload files by path.
    pub files: BTreeMap<String, Vec<u8>>,
    /// The fields of `bag-info.txt` but the last, as text.
    pub info: Vec<(String, String)>,
    /// The statement; written when the dossier is.
    pub statement: Statement,
    /// Further files of `signatures/`, by name.
    pub signatures: Vec<(String, Vec<u8>)>,
}

impl Forge {
    /// What the court exports of a story.
    pub fn new(story: &Story) -> Self {
        Self::of(story.source())
    }

    /// What it exports of a source.
    pub fn of(source: DossierSource<'_>) -> Self {
        let temp = tempfile::tempdir().expect("temporary folder");
        let out = temp.path().join("first");
        export(source, &out).expect("an export");
        let tree = Tree::open(&out).expect("a folder");
        let names = tree.files().map(|(path, _)| path.to_string()).filter(|name| name.starts_with("data/"));
        let files: BTreeMap<String, Vec<u8>> =
            names.map(|name| (name.clone(), fs::read(out.join(&name)).expect("a file"))).collect();
        let text = fs::read_to_string(out.join("bag-info.txt")).expect("a file");
        let fields = text.lines().filter_map(|line| line.split_once(": "));
        let info = fields.filter(|(label, _)| *label != "Payload-Oxum").map(|(a, b)| (a.to_owned(), b.to_owned()));
        let statement = layout::decode_lines(&files[layout::STATEMENT], 1).expect("a statement").remove(0);
        Self { info: info.collect(), temp, statement, signatures: Vec::new(), files }
    }

    /// The lines of a list in the record's folder.
    pub fn envelopes(&self) -> Vec<EnvelopeLine> {
        layout::decode_lines(&self.files[&format!("{RECORD}/envelopes.jsonl")], 1000).expect("lines")
    }

    /// Writes that list.
    pub fn put_envelopes(&mut self, lines: &[EnvelopeLine]) {
        self.files.insert(format!("{RECORD}/envelopes.jsonl"), layout::encode_lines(lines));
    }

    /// The redacted entries.
    pub fn redacted(&self) -> Vec<RedactedLine> {
        let file = self.files.get(&format!("{RECORD}/redacted.jsonl"));
        file.map(|bytes| layout::decode_lines(bytes, 1000).expect("lines")).unwrap_or_default()
    }

    /// Writes them.
    pub fn put_redacted(&mut self, lines: &[RedactedLine]) {
        self.files.insert(format!("{RECORD}/redacted.jsonl"), layout::encode_lines(lines));
    }

    /// The objects of the roster.
    pub fn objects(&self) -> Vec<RosterLine> {
        layout::decode_lines(&self.files[layout::ROSTER], 1000).expect("lines")
    }

    /// Writes them.
    pub fn put_objects(&mut self, lines: &[RosterLine]) {
        self.files.insert(layout::ROSTER.to_owned(), layout::encode_lines(lines));
    }

    /// Withholds these leaves of an entry that is here whole.
    pub fn redact(&mut self, story: &Story, entry: EntryId, paths: &[&str]) {
        let opened = story.entries.iter().find(|opened| opened.id == entry).expect("an entry of the story");
        let withheld: BTreeSet<String> = paths.iter().map(|path| (*path).to_owned()).collect();
        let mut lines = self.redacted();
        lines.push(redact::line(opened, &withheld).expect("an entry that can be read"));
        self.put_redacted(&lines);
        self.forget(entry);
        let (paths, ground) = (withheld.into_iter().collect(), "privacy".to_owned());
        self.statement.redactions.push(Redaction { entry, paths, ground });
    }

    /// Leaves an entry out, with its link, and states the heads that are left.
    pub fn drop_entry(&mut self, entry: EntryId) {
        self.forget(entry);
        self.statement.records[0].entries -= 1;
        let whole = self.envelopes().into_iter().map(|line| (line.entry, line.header));
        let redacted = self.redacted().into_iter().map(|line| (line.entry, line.header));
        let left: Vec<(EntryId, Header)> = whole
            .chain(redacted)
            .map(|(id, hex)| {
                let bytes = layout::read_hex(&hex).expect("hex");
                (id, Header::decode(&bytes).expect("a header"))
            })
            .collect();
        // What follows an entry that is gone is no head either: nobody may cite it.
        let mut left = left;
        left.sort_by_key(|(id, header)| (header.depth, *id));
        let (mut linked, mut heads) = (BTreeSet::new(), BTreeSet::new());
        for (id, header) in &left {
            if header.heads.iter().all(|head| linked.contains(head)) {
                linked.insert(*id);
                heads.retain(|held| !header.heads.contains(held));
                heads.insert(*id);
            }
        }
        self.statement.records[0].heads = heads.into_iter().collect();
    }

    /// Leaves an entry out, and keeps its link among the author's others.
    pub fn drop_body(&mut self, story: &Story, entry: EntryId) {
        self.drop_entry(entry);
        let opened = story.entries.iter().find(|opened| opened.id == entry).expect("an entry of the story");
        let path = layout::chain_file(&opened.link.device);
        let held = self.files.get(&path).and_then(|bytes| layout::decode_links(bytes));
        let mut links = held.unwrap_or_default();
        links.push((opened.link, opened.signature));
        links.sort_by_key(|(link, _)| (link.number, link.id()));
        self.files.insert(path, layout::encode_links(links.iter()));
    }

    /// Adds an entry that the exporter left out, whole or with these leaves withheld.
    pub fn add_entry(&mut self, story: &Story, entry: EntryId, withheld: Option<&[&str]>) {
        let opened = story.entries.iter().find(|opened| opened.id == entry).expect("an entry of the story");
        let path = layout::chain_file(&opened.link.device);
        let mut links = self.files.get(&path).and_then(|bytes| layout::decode_links(bytes)).unwrap_or_default();
        links.retain(|(link, _)| link.id() != opened.envelope);
        self.files.remove(&path);
        if !links.is_empty() {
            self.files.insert(path, layout::encode_links(links.iter()));
        }
        self.statement.records[0].entries += 1;
        match withheld {
            Some(paths) => self.redact(story, entry, paths),
            None => {
                let file = format!("99999-{}.json", entry.short());
                self.files.insert(format!("{RECORD}/{file}"), opened.entry.clone());
                let mut lines = self.envelopes();
                lines.push(EnvelopeLine {
                    file,
                    envelope: opened.envelope,
                    entry,
                    link: seal::id::to_hex(&opened.link.encode()),
                    signature: opened.signature,
                    header: seal::id::to_hex(&opened.header.encode()),
                    ciphertext: Hash32(opened.ciphertext_hash),
                });
                self.put_envelopes(&lines);
            }
        }
    }

    fn forget(&mut self, entry: EntryId) {
        let (gone, kept): (Vec<_>, Vec<_>) = self.envelopes().into_iter().partition(|line| line.entry == entry);
        for line in gone {
            self.files.remove(&format!("{RECORD}/{}", line.file));
        }
        self.put_envelopes(&kept);
    }

    /// Writes everything again, signed by the court's device, and verifies it.
    pub fn verify(&self, story: &Story) -> Verdict {
        verify(&self.write(story), &story.trust())
    }

    /// Writes everything again, signed by the court's device.
    pub fn write(&self, story: &Story) -> PathBuf {
        let place = self.temp.path().join("again");
        let _ = fs::remove_dir_all(&place);
        self.bag(&place, story);
        place
    }

    fn bag(&self, place: &Path, story: &Story) {
        let mut bag = BagWriter::create(place).expect("a folder");
        for (name, bytes) in self.files.iter().filter(|(name, _)| *name != layout::STATEMENT) {
            bag.add_bytes(name, bytes).expect("a file");
        }
        bag.add_bytes(layout::STATEMENT, &self.statement_bytes()).expect("a file");
        let written = bag.finish(&self.info).expect("tag files");
        let signature = SshSig::sign(&story.court.key, NAMESPACE, &sha512(&written.tagmanifest));
        let mut signed = vec![("tagmanifest-sha256.txt.court.sig".to_owned(), signature.armor().into_bytes())];
        signed.extend(self.signatures.iter().cloned());
        seal_file::write(place, &signed, &story.court.key).expect("a seal");
    }

    /// The statement as changed, or the bytes that a test put in its place.
    fn statement_bytes(&self) -> Vec<u8> {
        let first: Option<Statement> =
            layout::decode_lines(&self.files[layout::STATEMENT], 1).ok().and_then(|mut lines| lines.pop());
        match first {
            Some(_) => layout::encode_lines([&self.statement]),
            None => self.files[layout::STATEMENT].clone(),
        }
    }
}
