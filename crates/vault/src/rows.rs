//! Rows in and out of the database.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use logbook::Record;
use seal::{DeviceId, Envelope, EnvelopeId, KeyId, Link, Opened, RecordId, RecordKey, Signature, Wrap};
use sqlx::sqlite::{SqliteArguments, SqliteConnection, SqliteRow};
use sqlx::{Arguments, AssertSqlSafe, Encode, Row, Sqlite, Type};

use crate::error::{Result, VaultError};
use crate::store::Grounds;
use crate::writer::Writer;

/// Rows per statement. Few sizes, so that the statements stay prepared; few parts, because each goes to
/// the database's thread and back. 64 rows of 25 values are far below SQLite's 32,766.
const SIZES: [usize; 7] = [64, 32, 16, 8, 4, 2, 1];

/// Rows of a statement that is made for one batch.
const AT_ONCE: usize = 512;

/// Parts of a list, in those sizes.
pub(crate) fn parts<T>(list: &[T]) -> impl Iterator<Item = &[T]> {
    let mut rest = list;
    std::iter::from_fn(move || {
        let size = SIZES.into_iter().find(|size| rest.len() >= *size)?;
        let (part, after) = rest.split_at(size);
        rest = after;
        Some(part)
    })
}

/// A statement about several values: in its text `{}` stands for them.
pub(crate) fn about(text: &str, values: usize) -> AssertSqlSafe<String> {
    AssertSqlSafe(text.replace("{}", &vec!["?"; values].join(",")))
}

/// An insertion of many rows.
pub(crate) struct Insert {
    /// Up to `VALUES`.
    pub head: &'static str,
    /// Values in a row.
    pub width: usize,
    /// After the rows.
    pub tail: &'static str,
}

/// The values of a statement under way.
#[derive(Default)]
pub(crate) struct Values {
    arguments: SqliteArguments,
    failed: bool,
}

impl Values {
    /// Adds a value.
    pub(crate) fn add<'t, T: Encode<'t, Sqlite> + Type<Sqlite>>(&mut self, value: T) -> &mut Self {
        self.failed |= self.arguments.add(value).is_err();
        self
    }
    /// Adds bytes.
    pub(crate) fn bytes(&mut self, value: &[u8]) -> &mut Self {
        self.add(value)
    }
}

impl Insert {
    /// Inserts rows in their order.
    pub(crate) async fn run<T>(
        &self,
        to: &mut SqliteConnection,
        rows: &[T],
        bind: impl Fn(&T, &mut Values),
    ) -> Result<()> {
        for part in parts(rows) {
            let text = AssertSqlSafe(self.text(part.len()));
            sqlx::query_with(text, arguments(part, &bind)?).execute(&mut *to).await?;
        }
        Ok(())
    }

    /// Inserts rows in their order by one statement, or by one for each [`AT_ONCE`]; it is not kept prepared.
    pub(crate) async fn at_once<T>(
        &self,
        to: &mut SqliteConnection,
        rows: &[T],
        bind: impl Fn(&T, &mut Values),
    ) -> Result<()> {
        for part in rows.chunks(AT_ONCE) {
            let text = AssertSqlSafe(self.text(part.len()));
            sqlx::query_with(text, arguments(part, &bind)?).persistent(false).execute(&mut *to).await?;
        }
        Ok(())
    }

    fn text(&self, rows: usize) -> String {
        let row = format!("({}?)", "?,".repeat(self.width - 1));
        let rows = vec![row; rows].join(",");
        format!("{} VALUES {rows} {}", self.head, self.tail)
    }
}

/// The values of some rows, one after the other.
fn arguments<T>(rows: &[T], bind: impl Fn(&T, &mut Values)) -> Result<SqliteArguments> {
    let mut values = Values::default();
    rows.iter().for_each(|row| bind(row, &mut values));
    if values.failed { Err(VaultError::Storage("a value cannot be stored".into())) } else { Ok(values.arguments) }
}

/// A row of `envelope`.
pub(crate) struct EnvelopeRow {
    pub seq: i64,
    pub device: i64,
    pub number: u64,
    pub id: EnvelopeId,
    pub link: Link,
    pub signature: Signature,
    pub body: Option<Vec<u8>>,
    pub key: Option<KeyId>,
    pub record: Option<i64>,
    pub origin: i64,
    pub received_ms: i64,
    /// The device that handed it over.
    pub via: Option<i64>,
}

const ENVELOPES: Insert = Insert {
    head: "INSERT INTO envelope (seq, device, number, id, link, signature, body, key, record, origin, received_ms, via)",
    width: 12,
    tail: "",
};

/// Inserts envelopes.
pub(crate) async fn insert_envelopes(to: &mut SqliteConnection, rows: &[EnvelopeRow]) -> Result<()> {
    ENVELOPES
        .run(to, rows, |row, values| {
            values.add(row.seq).add(row.device).add(row.number as i64).bytes(&row.id.0).bytes(&row.link.encode());
            values.bytes(&row.signature.0).add(row.body.as_deref()).add(row.key.as_ref().map(|key| key.0.as_slice()));
            values.add(row.record).add(row.origin).add(row.received_ms).add(row.via);
        })
        .await
}

/// A row of `wrap`.
pub(crate) struct WrapRow {
    pub seq: i64,
    pub who: String,
    pub epoch: u32,
    pub wrap: Wrap,
}

const WRAPS: Insert =
    Insert { head: "INSERT OR IGNORE INTO wrap (seq, hash, record, key, who, epoch, sealed)", width: 7, tail: "" };

/// Inserts wraps; known ones change nothing.
pub(crate) async fn insert_wraps(to: &mut SqliteConnection, rows: &[WrapRow]) -> Result<()> {
    WRAPS
        .run(to, rows, |row, values| {
            values.add(row.seq).bytes(&row.wrap.hash().0).bytes(&row.wrap.record.0).bytes(&row.wrap.key.0);
            values.add(row.who.as_str()).add(row.epoch).bytes(&row.wrap.sealed);
        })
        .await
}

const KEYS: Insert = Insert { head: "INSERT OR IGNORE INTO key (record, id, bytes, seq)", width: 4, tail: "" };

/// Inserts record keys.
pub(crate) async fn insert_keys(to: &mut SqliteConnection, rows: &[(i64, RecordId, RecordKey)]) -> Result<()> {
    KEYS.run(to, rows, |(seq, record, key), values| {
        values.bytes(&record.0).bytes(&key.id(record).0).bytes(key.as_bytes()).add(*seq);
    })
    .await
}

/// An envelope from columns `link, signature, body`.
pub(crate) fn envelope_of(row: &SqliteRow) -> Result<Envelope> {
    let damaged = |_| VaultError::Corrupt("an envelope's row".into());
    let link: &[u8] = row.try_get("link")?;
    let signature: &[u8] = row.try_get("signature")?;
    Ok(Envelope {
        link: Link::decode(link).map_err(damaged)?,
        signature: Signature(signature.try_into().map_err(|_| VaultError::Corrupt("a signature's row".into()))?),
        body: row.try_get::<Option<Vec<u8>>, _>("body")?,
    })
}

/// A record's id from its column.
pub(crate) fn record_id(bytes: &[u8]) -> Result<RecordId> {
    RecordId::try_from(bytes).map_err(|_| VaultError::Corrupt("a record's row".into()))
}

/// The number of a device in the database; a new device gets one.
pub(crate) async fn device_number(writer: &mut Writer, id: &DeviceId) -> Result<i64> {
    if let Some(number) = writer.devices.get(id) {
        return Ok(*number);
    }
    let done = sqlx::query("INSERT INTO device (id, head) VALUES (?, 0)")
        .bind(id.0.as_slice())
        .execute(&mut writer.connection)
        .await?;
    writer.devices.insert(*id, done.last_insert_rowid());
    Ok(done.last_insert_rowid())
}

/// The number of a record in the database, if it has one.
pub(crate) async fn record_number(writer: &mut Writer, id: &RecordId) -> Result<Option<i64>> {
    if let Some(number) = writer.records.get(id) {
        return Ok(Some(*number));
    }
    let row: Option<(i64,)> = sqlx::query_as("SELECT n FROM projection WHERE record = ?")
        .bind(id.0.as_slice())
        .fetch_optional(&mut writer.connection)
        .await?;
    if let Some((number,)) = row {
        writer.records.put(*id, number);
    }
    Ok(row.map(|(number,)| number))
}

/// The key of an id, from the cache or the database.
pub(crate) async fn key(writer: &mut Writer, id: &KeyId) -> Result<Option<(RecordId, RecordKey)>> {
    if let Some(held) = writer.keys.get(id) {
        return Ok(Some(held.clone()));
    }
    let row: Option<(Vec<u8>, Vec<u8>)> = sqlx::query_as("SELECT record, bytes FROM key WHERE id = ?")
        .bind(id.0.as_slice())
        .fetch_optional(&mut writer.connection)
        .await?;
    let Some((record, bytes)) = row else { return Ok(None) };
    let held = (record_id(&record)?, record_key(&bytes)?);
    writer.keys.put(*id, held.clone());
    Ok(Some(held))
}

/// Brings these keys to hand, as far as they are held and there is room, and the numbers of their records;
/// gives back which of those records have none.
pub(crate) async fn at_hand(writer: &mut Writer, ids: &HashSet<KeyId>) -> Result<HashSet<RecordId>> {
    let asked: Vec<KeyId> = ids.iter().filter(|id| !writer.keys.contains(id)).copied().collect();
    for part in parts(&asked) {
        let query = sqlx::query_as(about("SELECT record, id, bytes FROM key WHERE id IN ({})", part.len()));
        let query = part.iter().fold(query, |query, id| query.bind(id.0.as_slice()));
        let found: Vec<(Vec<u8>, Vec<u8>, Vec<u8>)> = query.fetch_all(&mut writer.connection).await?;
        for (record, id, bytes) in found {
            let id = KeyId::try_from(id.as_slice()).map_err(|_| VaultError::Corrupt("a key's row".into()))?;
            writer.keys.put(id, (record_id(&record)?, record_key(&bytes)?));
        }
    }
    let records: HashSet<RecordId> = ids.iter().filter_map(|id| Some(writer.keys.peek(id)?.0)).collect();
    unnumbered(writer, &records.into_iter().collect::<Vec<_>>()).await
}

/// All keys of a record, oldest first.
pub(crate) async fn keys_of(from: &mut SqliteConnection, record: &RecordId) -> Result<Vec<RecordKey>> {
    let rows: Vec<(Vec<u8>,)> = sqlx::query_as("SELECT bytes FROM key WHERE record = ? ORDER BY seq")
        .bind(record.0.as_slice())
        .fetch_all(from)
        .await?;
    rows.into_iter().map(|(bytes,)| record_key(&bytes)).collect()
}

/// Loads a record's opened envelopes, received by `until_ms`.
pub(crate) async fn opened_of(
    from: &mut SqliteConnection,
    id: &RecordId,
    number: i64,
    until_ms: i64,
) -> Result<Vec<Arc<Opened>>> {
    let keys: Vec<(KeyId, RecordKey)> = keys_of(from, id).await?.into_iter().map(|key| (key.id(id), key)).collect();
    let rows =
        sqlx::query("SELECT link, signature, body FROM envelope WHERE record = ? AND received_ms <= ? ORDER BY seq")
            .bind(number)
            .bind(until_ms)
            .fetch_all(from)
            .await?;
    rows.iter().map(|row| opened(row, &keys)).collect()
}

/// An envelope's row, opened with one of these keys.
fn opened(row: &SqliteRow, keys: &[(KeyId, RecordKey)]) -> Result<Arc<Opened>> {
    let envelope = envelope_of(row)?;
    let damaged = || VaultError::Corrupt("an envelope does not open".into());
    let needed = envelope.key_id().map_err(|_| damaged())?.ok_or_else(damaged)?;
    let (_, key) = keys.iter().find(|(held, _)| *held == needed).ok_or(VaultError::NoKey(needed))?;
    Ok(Arc::new(envelope.open(key).map_err(|_| damaged())?))
}

/// A record as it lies in the database.
pub(crate) struct Held {
    /// Its number.
    pub number: i64,
    /// Its id; an error where the row is damaged.
    pub id: Result<RecordId>,
    keys: Vec<Vec<u8>>,
    rows: Vec<SqliteRow>,
}

impl Held {
    /// Opens its envelopes and folds them.
    pub(crate) fn fold(&self, id: &RecordId, grounds: &Grounds) -> Result<Record> {
        let keys = self.keys.iter().map(|bytes| record_key(bytes).map(|key| (key.id(id), key)));
        let keys: Vec<(KeyId, RecordKey)> = keys.collect::<Result<_>>()?;
        let opened: Vec<Arc<Opened>> = self.rows.iter().map(|row| opened(row, &keys)).collect::<Result<_>>()?;
        Ok(Record::fold(*id, opened, &grounds.ground()))
    }
}

/// These records, in the order of their numbers, each with its keys and envelopes: two statements for
/// many of them, because each costs a way to the database's thread and back. Sorted apart ("+"), rows come
/// at once, instead of waking whoever waits for them one by one.
pub(crate) async fn held(from: &mut SqliteConnection, ids: &[(i64, Vec<u8>)]) -> Result<Vec<Held>> {
    let mut held = Vec::with_capacity(ids.len());
    for part in parts(ids) {
        let text = "SELECT record, link, signature, body FROM envelope WHERE record IN ({}) ORDER BY +record, +seq";
        let rows = part.iter().fold(sqlx::query(about(text, part.len())), |query, (number, _)| query.bind(number));
        let rows = rows.fetch_all(&mut *from).await?;
        let text = "SELECT p.n, k.bytes FROM projection p JOIN key k ON k.record = p.record \
                    WHERE p.n IN ({}) ORDER BY p.n, k.seq";
        let keys = part.iter().fold(sqlx::query_as(about(text, part.len())), |query, (number, _)| query.bind(number));
        let keys: Vec<(i64, Vec<u8>)> = keys.fetch_all(&mut *from).await?;
        let mut each: BTreeMap<i64, Held> = part
            .iter()
            .map(|(number, id)| {
                (*number, Held { number: *number, id: record_id(id), keys: Vec::new(), rows: Vec::new() })
            })
            .collect();
        for row in rows {
            if let Some(of) = each.get_mut(&row.try_get("record")?) {
                of.rows.push(row);
            }
        }
        for (number, bytes) in keys {
            if let Some(of) = each.get_mut(&number) {
                of.keys.push(bytes);
            }
        }
        held.extend(each.into_values());
    }
    Ok(held)
}

/// Which of these keys are held.
pub(crate) async fn known_keys(writer: &mut Writer, ids: &[KeyId]) -> Result<HashSet<KeyId>> {
    let (mut known, mut asked) = (HashSet::new(), Vec::new());
    for id in ids {
        if writer.keys.contains(id) {
            known.insert(*id);
        } else {
            asked.push(*id);
        }
    }
    for part in parts(&asked) {
        let query = sqlx::query_as(about("SELECT id FROM key WHERE id IN ({})", part.len()));
        let query = part.iter().fold(query, |query, id| query.bind(id.0.as_slice()));
        let found: Vec<(Vec<u8>,)> = query.fetch_all(&mut writer.connection).await?;
        for (id,) in found {
            known.insert(KeyId::try_from(id.as_slice()).map_err(|_| VaultError::Corrupt("a key's row".into()))?);
        }
    }
    Ok(known)
}

/// Which of these records have no number in the database; the numbers of the others are remembered.
pub(crate) async fn unnumbered(writer: &mut Writer, ids: &[RecordId]) -> Result<HashSet<RecordId>> {
    let mut without: HashSet<RecordId> = ids.iter().filter(|id| !writer.records.contains(id)).copied().collect();
    let asked: Vec<RecordId> = without.iter().copied().collect();
    for part in parts(&asked) {
        let query = sqlx::query_as(about("SELECT record, n FROM projection WHERE record IN ({})", part.len()));
        let query = part.iter().fold(query, |query, id| query.bind(id.0.as_slice()));
        let found: Vec<(Vec<u8>, i64)> = query.fetch_all(&mut writer.connection).await?;
        for (id, number) in found {
            let id = record_id(&id)?;
            without.remove(&id);
            writer.records.put(id, number);
        }
    }
    Ok(without)
}

fn record_key(bytes: &[u8]) -> Result<RecordKey> {
    let bytes: [u8; 32] = bytes.try_into().map_err(|_| VaultError::Corrupt("a key's row".into()))?;
    Ok(RecordKey::from_bytes(bytes))
}

/// Folds a record from the database.
pub(crate) async fn load(
    from: &mut SqliteConnection,
    id: &RecordId,
    number: i64,
    until_ms: i64,
    grounds: &Grounds,
) -> Result<Record> {
    let opened = opened_of(from, id, number, until_ms).await?;
    Ok(Record::fold(*id, opened, &grounds.ground()))
}
