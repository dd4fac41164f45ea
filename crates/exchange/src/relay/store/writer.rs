//! The one writer of a SQLite store.

use sqlx::{Connection, Row, SqliteConnection};
use tokio::sync::{mpsc, oneshot};

use super::blobs::{self, BlobFolder, INLINE};
use super::sqlite::{array, blocking, signed, unsigned};
use super::{ITEM_COST, NewItem, PostOutcome, Quota, StoreError, Swept, Wakers};
use crate::relay::mailbox::MailboxTag;

/// Requests taken into one transaction: 64 share one sync to disk; more would only make the
/// first of them wait longer.
const GROUP: usize = 64;

/// Items removed per transaction of a sweep, so that posts never wait long for one.
const SWEEP_GROUP: u32 = 1_000;

type Reply<T> = oneshot::Sender<Result<T, StoreError>>;

/// What the writer is asked to do.
pub(super) enum Command {
    Post { items: Vec<NewItem>, quota: Quota, now: u64, reply: Reply<Vec<PostOutcome>> },
    Sweep { item_life_ms: u64, now: u64, reply: Reply<Swept> },
    Close(oneshot::Sender<()>),
}

/// A post waiting in the current group.
struct Posting {
    items: Vec<NewItem>,
    quota: Quota,
    now: u64,
    reply: Reply<Vec<PostOutcome>>,
}

pub(super) struct Writer {
    connection: SqliteConnection,
    blobs: Option<BlobFolder>,
    wakers: Wakers,
}

impl Writer {
    pub(super) fn new(connection: SqliteConnection, blobs: Option<BlobFolder>, wakers: Wakers) -> Self {
        Self { connection, blobs, wakers }
    }

    /// Works until the store is closed or dropped.
    pub(super) async fn run(mut self, mut commands: mpsc::Receiver<Command>) {
        let mut closing = None;
        while closing.is_none()
            && let Some(first) = commands.recv().await
        {
            let mut group = Vec::new();
            let mut next = Some(first);
            while let Some(command) = next.take() {
                match command {
                    Command::Post { items, quota, now, reply } => {
                        group.push(Posting { items, quota, now, reply });
                        if group.len() < GROUP {
                            next = commands.try_recv().ok();
                        }
                    }
                    Command::Sweep { item_life_ms, now, reply } => {
                        self.post_group(std::mem::take(&mut group)).await;
                        // The asker may be gone; the sweep is done all the same.
                        let _ = reply.send(self.sweep(item_life_ms, now).await);
                    }
                    Command::Close(done) => closing = Some(done),
                }
            }
            self.post_group(group).await;
        }
        if let Err(error) = self.connection.close().await {
            tracing::warn!(%error, "the relay's database did not close cleanly");
        }
        if let Some(done) = closing {
            let _ = done.send(());
        }
    }

    /// Stores a group of posts in one transaction, answers, and wakes who waits.
    async fn post_group(&mut self, mut group: Vec<Posting>) {
        if group.is_empty() {
            return;
        }
        match self.store_group(&mut group).await {
            Ok((outcomes, rung)) => {
                for (posting, outcomes) in group.into_iter().zip(outcomes) {
                    // A poster that went away finds its batch as a duplicate next time.
                    let _ = posting.reply.send(Ok(outcomes));
                }
                for mailbox in rung {
                    self.wakers.ring(mailbox);
                }
            }
            Err(error) => {
                tracing::error!(%error, posts = group.len(), "posts could not be stored");
                let mut first = Some(error);
                for posting in group {
                    let again = if matches!(first, Some(StoreError::DiskFull)) {
                        StoreError::DiskFull
                    } else {
                        first.take().unwrap_or(StoreError::Undone)
                    };
                    let _ = posting.reply.send(Err(again));
                }
            }
        }
    }

    async fn store_group(
        &mut self,
        group: &mut [Posting],
    ) -> Result<(Vec<Vec<PostOutcome>>, Vec<MailboxTag>), StoreError> {
        let mut transaction = self.connection.begin_with("BEGIN IMMEDIATE").await?;
        let (mut outcomes, mut rung) = (Vec::with_capacity(group.len()), Vec::new());
        for posting in group {
            let mut of_this = Vec::with_capacity(posting.items.len());
            for item in std::mem::take(&mut posting.items) {
                let mailbox = item.mailbox;
                let outcome =
                    store_one(&mut transaction, self.blobs.as_ref(), item, posting.quota, posting.now).await?;
                if matches!(outcome, PostOutcome::Stored(_)) {
                    rung.push(mailbox);
                }
                of_this.push(outcome);
            }
            outcomes.push(of_this);
        }
        transaction.commit().await?;
        Ok((outcomes, rung))
    }

    async fn sweep(&mut self, item_life_ms: u64, now: u64) -> Result<Swept, StoreError> {
        let mut swept = Swept::default();
        loop {
            let removed = self.sweep_group(&mut swept, now).await?;
            if removed < SWEEP_GROUP as usize {
                break;
            }
        }
        let forgotten = sqlx::query("DELETE FROM mailbox WHERE items = 0 AND emptied_ms <= ?")
            .bind(signed(now.saturating_sub(item_life_ms)))
            .execute(&mut self.connection)
            .await?;
        swept.mailboxes = forgotten.rows_affected();
        if swept.items > 0 {
            sqlx::query("PRAGMA incremental_vacuum").execute(&mut self.connection).await?;
            // What was deleted is not to stay readable in the log file either.
            sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut self.connection).await?;
        }
        Ok(swept)
    }

    async fn sweep_group(&mut self, swept: &mut Swept, now: u64) -> Result<usize, StoreError> {
        let mut transaction = self.connection.begin_with("BEGIN IMMEDIATE").await?;
        let rows = sqlx::query(
            "SELECT id, mailbox, hash, size, body IS NULL FROM item
             WHERE expires_ms <= ? ORDER BY expires_ms LIMIT ?",
        )
        .bind(signed(now))
        .bind(SWEEP_GROUP)
        .fetch_all(&mut *transaction)
        .await?;
        let mut files = Vec::new();
        for row in &rows {
            let (mailbox, size) = (MailboxTag(array(row, 1)?), unsigned(row.try_get(3)?)?);
            sqlx::query("DELETE FROM item WHERE id = ?")
                .bind(row.try_get::<i64, _>(0)?)
                .execute(&mut *transaction)
                .await?;
            count(&mut transaction, mailbox, -1, -signed(size + ITEM_COST), now).await?;
            if row.try_get::<bool, _>(4)? {
                files.push(blobs::name(&mailbox, &array(row, 2)?));
            }
            swept.items += 1;
            swept.bytes += size;
        }
        transaction.commit().await?;
        if let Some(folder) = self.blobs.clone() {
            // After the commit: a file without a row is swept at the next start, a row without
            // its file would be a loss.
            blocking(move || files.iter().try_for_each(|name| folder.remove(name))).await?;
        }
        Ok(rows.len())
    }
}

/// Stores one batch inside the transaction, unless it is there or does not fit.
async fn store_one(
    transaction: &mut SqliteConnection,
    folder: Option<&BlobFolder>,
    item: NewItem,
    quota: Quota,
    now: u64,
) -> Result<PostOutcome, StoreError> {
    let known = sqlx::query("SELECT id, seq, expires_ms FROM item WHERE mailbox = ? AND hash = ?")
        .bind(&item.mailbox.0[..])
        .bind(&item.hash[..])
        .fetch_optional(&mut *transaction)
        .await?;
    let expires = signed(now.saturating_add(quota.item_life_ms));
    if let Some(row) = known {
        let (id, seq) = (row.try_get::<i64, _>(0)?, unsigned(row.try_get(1)?)?);
        if unsigned(row.try_get(2)?)? > now {
            return Ok(PostOutcome::Duplicate(seq));
        }
        // Expired and not swept yet: for readers it is gone, so it comes as a new item.
        let seq = next_seq(transaction, item.mailbox).await?;
        sqlx::query("UPDATE item SET seq = ?, expires_ms = ? WHERE id = ?")
            .bind(seq)
            .bind(expires)
            .bind(id)
            .execute(transaction)
            .await?;
        return Ok(PostOutcome::Stored(unsigned(seq)?));
    }
    let cost = item.batch.len() as u64 + ITEM_COST;
    if let Some(full) = over_quota(transaction, item.mailbox, cost, quota).await? {
        return Ok(full);
    }
    insert(transaction, folder, item, cost, expires, now).await
}

async fn insert(
    transaction: &mut SqliteConnection,
    folder: Option<&BlobFolder>,
    item: NewItem,
    cost: u64,
    expires: i64,
    now: u64,
) -> Result<PostOutcome, StoreError> {
    let NewItem { mailbox, hash, batch } = item;
    let size = batch.len() as u64;
    let body = match folder {
        Some(folder) if batch.len() > INLINE => {
            let (folder, name) = (folder.clone(), blobs::name(&mailbox, &hash));
            blocking(move || folder.write(&name, &batch)).await?;
            None
        }
        _ => Some(batch),
    };
    let seq = next_seq(transaction, mailbox).await?;
    sqlx::query("INSERT INTO item (mailbox, seq, hash, size, expires_ms, body) VALUES (?, ?, ?, ?, ?, ?)")
        .bind(&mailbox.0[..])
        .bind(seq)
        .bind(&hash[..])
        .bind(signed(size))
        .bind(expires)
        .bind(body)
        .execute(&mut *transaction)
        .await?;
    count(transaction, mailbox, 1, signed(cost), now).await?;
    Ok(PostOutcome::Stored(unsigned(seq)?))
}

async fn over_quota(
    transaction: &mut SqliteConnection,
    mailbox: MailboxTag,
    cost: u64,
    quota: Quota,
) -> Result<Option<PostOutcome>, StoreError> {
    let whole = sqlx::query("SELECT bytes FROM store").fetch_one(&mut *transaction).await?;
    if unsigned(whole.try_get(0)?)?.saturating_add(cost) > quota.store_bytes {
        return Ok(Some(PostOutcome::StoreFull));
    }
    let row = sqlx::query("SELECT items, bytes FROM mailbox WHERE tag = ?")
        .bind(&mailbox.0[..])
        .fetch_optional(transaction)
        .await?;
    let (items, bytes) = match row {
        Some(row) => (unsigned(row.try_get(0)?)?, unsigned(row.try_get(1)?)?),
        None => (0, 0),
    };
    let full = items >= quota.mailbox_items || bytes.saturating_add(cost) > quota.mailbox_bytes;
    Ok(full.then_some(PostOutcome::MailboxFull))
}

/// The next number of a mailbox; creates the mailbox.
async fn next_seq(transaction: &mut SqliteConnection, mailbox: MailboxTag) -> Result<i64, StoreError> {
    let row = sqlx::query(
        "INSERT INTO mailbox (tag, last_seq, items, bytes) VALUES (?, 1, 0, 0)
         ON CONFLICT (tag) DO UPDATE SET last_seq = last_seq + 1 RETURNING last_seq",
    )
    .bind(&mailbox.0[..])
    .fetch_one(transaction)
    .await?;
    Ok(row.try_get(0)?)
}

/// Keeps the running totals of a mailbox and of the store.
async fn count(
    transaction: &mut SqliteConnection,
    mailbox: MailboxTag,
    items: i64,
    bytes: i64,
    now: u64,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE mailbox SET items = items + ?2, bytes = bytes + ?3,
                emptied_ms = CASE WHEN items + ?2 = 0 THEN ?4 END
         WHERE tag = ?1",
    )
    .bind(&mailbox.0[..])
    .bind(items)
    .bind(bytes)
    .bind(signed(now))
    .execute(&mut *transaction)
    .await?;
    sqlx::query("UPDATE store SET items = items + ?, bytes = bytes + ?")
        .bind(items)
        .bind(bytes)
        .execute(transaction)
        .await?;
    Ok(())
}
