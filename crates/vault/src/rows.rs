//! Rows in and out of the database.

use std::sync::Arc;

use logbook::Record;
use seal::{DeviceId, Envelope, EnvelopeId, KeyId, Link, Opened, RecordId, RecordKey, Signature, Wrap};
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{QueryBuilder, Row, Sqlite};

use crate::error::{Result, VaultError};
use crate::store::{Grounds, Writer};

/// Rows in one statement: SQLite takes 32,766 values, a row has eleven.
const ROWS: usize = 500;

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
}

/// Inserts envelopes.
pub(crate) async fn insert_envelopes(to: &mut SqliteConnection, rows: &[EnvelopeRow]) -> Result<()> {
    for part in rows.chunks(ROWS) {
        let mut query = QueryBuilder::<Sqlite>::new(
            "INSERT INTO envelope (seq, device, number, id, link, signature, body, key, record, origin, received_ms) ",
        );
        query.push_values(part, |mut tuple, row| {
            tuple
                .push_bind(row.seq)
                .push_bind(row.device)
                .push_bind(row.number as i64)
                .push_bind(row.id.0.as_slice())
                .push_bind(row.link.encode().to_vec())
                .push_bind(row.signature.0.as_slice())
                .push_bind(row.body.as_deref())
                .push_bind(row.key.map(|key| key.0.to_vec()))
                .push_bind(row.record)
                .push_bind(row.origin)
                .push_bind(row.received_ms);
        });
        query.build().execute(&mut *to).await?;
    }
    Ok(())
}

/// A row of `wrap`.
pub(crate) struct WrapRow {
    pub seq: i64,
    pub who: String,
    pub epoch: u32,
    pub wrap: Wrap,
}

/// Inserts wraps; known ones change nothing.
pub(crate) async fn insert_wraps(to: &mut SqliteConnection, rows: &[WrapRow]) -> Result<()> {
    for part in rows.chunks(ROWS) {
        let mut query =
            QueryBuilder::<Sqlite>::new("INSERT OR IGNORE INTO wrap (seq, hash, record, key, who, epoch, sealed) ");
        query.push_values(part, |mut tuple, row| {
            tuple
                .push_bind(row.seq)
                .push_bind(row.wrap.hash().0.to_vec())
                .push_bind(row.wrap.record.0.as_slice())
                .push_bind(row.wrap.key.0.as_slice())
                .push_bind(row.who.as_str())
                .push_bind(row.epoch)
                .push_bind(row.wrap.sealed.as_slice());
        });
        query.build().execute(&mut *to).await?;
    }
    Ok(())
}

/// Inserts record keys.
pub(crate) async fn insert_keys(to: &mut SqliteConnection, rows: &[(i64, RecordId, RecordKey)]) -> Result<()> {
    for part in rows.chunks(ROWS) {
        let mut query = QueryBuilder::<Sqlite>::new("INSERT OR IGNORE INTO key (record, id, bytes, seq) ");
        query.push_values(part, |mut tuple, (seq, record, key)| {
            tuple
                .push_bind(record.0.as_slice())
                .push_bind(key.id(record).0.to_vec())
                .push_bind(key.as_bytes().as_slice())
                .push_bind(*seq);
        });
        query.build().execute(&mut *to).await?;
    }
    Ok(())
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

/// The number of a device in the database.
pub(crate) async fn device_number(writer: &mut Writer, id: &DeviceId) -> Result<i64> {
    if let Some(number) = writer.devices.get(id) {
        return Ok(*number);
    }
    let done =
        sqlx::query("INSERT INTO device (id) VALUES (?)").bind(id.0.as_slice()).execute(&mut writer.connection).await?;
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
    let record = RecordId::try_from(record.as_slice()).map_err(|_| VaultError::Corrupt("a key's row".into()))?;
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
