//! Rows in and out of the database.

use std::sync::Arc;

use logbook::Record;
use seal::{DeviceId, Envelope, EnvelopeId, KeyId, Link, Opened, RecordId, RecordKey, Signature, Wrap};
use sqlx::sqlite::{SqliteArguments, SqliteConnection, SqliteRow};
use sqlx::{Arguments, AssertSqlSafe, Encode, Row, Sqlite, Type};

use crate::error::{Result, VaultError};
use crate::store::Grounds;
use crate::writer::Writer;

/// Rows per statement. Few sizes, so that few statements are prepared, and those stay prepared; 64
/// rows of 23 values are far below SQLite's 32,766.
const SIZES: [usize; 4] = [64, 16, 4, 1];

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
        let mut rest = rows;
        for size in SIZES {
            while rest.len() >= size {
                let (part, after) = rest.split_at(size);
                rest = after;
                let mut values = Values::default();
                part.iter().for_each(|row| bind(row, &mut values));
                if values.failed {
                    return Err(VaultError::Storage("a value cannot be stored".into()));
                }
                let text = AssertSqlSafe(self.text(size));
                sqlx::query_with(text, values.arguments).execute(&mut *to).await?;
            }
        }
        Ok(())
    }

    fn text(&self, rows: usize) -> String {
        let row = format!("({}?)", "?,".repeat(self.width - 1));
        let rows = vec![row; rows].join(",");
        format!("{} VALUES {rows} {}", self.head, self.tail)
    }
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
    let record = record_id(&record)?;
    let bytes: [u8; 32] = bytes.try_into().map_err(|_| VaultError::Corrupt("a key's row".into()))?;
    let held = (record, RecordKey::from_bytes(bytes));
    writer.keys.put(*id, held.clone());
    Ok(Some(held))
}

/// All keys of a record, oldest first.
pub(crate) async fn keys_of(from: &mut SqliteConnection, record: &RecordId) -> Result<Vec<RecordKey>> {
    let rows: Vec<(Vec<u8>,)> = sqlx::query_as("SELECT bytes FROM key WHERE record = ? ORDER BY seq")
        .bind(record.0.as_slice())
        .fetch_all(from)
        .await?;
    rows.into_iter()
        .map(|(bytes,)| {
            let bytes: [u8; 32] = bytes.try_into().map_err(|_| VaultError::Corrupt("a key's row".into()))?;
            Ok(RecordKey::from_bytes(bytes))
        })
        .collect()
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
    let mut opened = Vec::with_capacity(rows.len());
    for row in &rows {
        let envelope = envelope_of(row)?;
        let damaged = || VaultError::Corrupt("an envelope does not open".into());
        let needed = envelope.key_id().map_err(|_| damaged())?.ok_or_else(damaged)?;
        let (_, key) = keys.iter().find(|(held, _)| *held == needed).ok_or(VaultError::NoKey(needed))?;
        opened.push(Arc::new(envelope.open(key).map_err(|_| damaged())?));
    }
    Ok(opened)
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
