//! Sealed exhibits: files of ciphertext, named by its BLAKE3 hash.

use std::fs::{File, OpenOptions};
use std::io::{BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;

use logbook::record_state::Audience;
use seal::blob::{SealedBlob, address_of, seal_stream};
use seal::{BlobAddress, DeviceId};

use crate::error::{Result, VaultError};
use crate::open::{BLOBS, sync_folder};
use crate::outgoing::{Way, spellings};
use crate::store::{Vault, read};

/// Bytes of one exhibit's ciphertext: 64 GiB, hours of video.
const MAX_BLOB: u64 = 64 * 1024 * 1024 * 1024;

/// How far an exhibit has arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlobProgress {
    /// All of it is here and its address holds.
    pub complete: bool,
    /// The next byte that is missing.
    pub next: u64,
}

impl Vault {
    /// Where an exhibit's ciphertext lies.
    pub fn blob_path(&self, address: &BlobAddress) -> PathBuf {
        self.inner.dir.join(BLOBS).join(address.to_string())
    }

    fn part_path(&self, address: &BlobAddress) -> PathBuf {
        self.inner.dir.join(BLOBS).join(format!("{address}.part"))
    }

    /// Whether all of it is here.
    pub fn has_blob(&self, address: &BlobAddress) -> bool {
        self.blob_path(address).exists()
    }

    /// Seals a stream into the vault; durable when this returns.
    pub async fn put_blob(&self, from: impl Read + Send + 'static) -> Result<SealedBlob> {
        let folder = self.inner.dir.join(BLOBS);
        let work = move || -> Result<SealedBlob> {
            let temporary = folder.join(format!("new-{}-{}", std::process::id(), unique()));
            let sealed = (|| -> Result<SealedBlob> {
                let file = OpenOptions::new().write(true).create_new(true).open(&temporary)?;
                let mut out = BufWriter::with_capacity(128 * 1024, file);
                let blob = seal_stream(from, &mut out)?;
                out.into_inner().map_err(|error| VaultError::io(error.error()))?.sync_all()?;
                Ok(blob)
            })();
            let blob = sealed.inspect_err(|_| {
                let _ = std::fs::remove_file(&temporary);
            })?;
            std::fs::rename(&temporary, folder.join(blob.address.to_string()))?;
            sync_folder(&folder)?;
            Ok(blob)
        };
        tokio::task::spawn_blocking(work).await.map_err(|_| VaultError::Storage("sealing was interrupted".into()))?
    }

    /// Takes the next part of an exhibit's ciphertext. Parts come in order; another offset changes
    /// nothing and says where to go on.
    pub async fn blob_part(
        &self,
        address: &BlobAddress,
        offset: u64,
        total: u64,
        bytes: &[u8],
    ) -> Result<BlobProgress> {
        if self.has_blob(address) {
            return Ok(BlobProgress { complete: true, next: total });
        }
        if total > MAX_BLOB || offset.saturating_add(bytes.len() as u64) > total {
            return Err(VaultError::Invalid("an exhibit's part is over its bound".into()));
        }
        // Only what an entry asks for is stored, so that nobody fills the disk.
        let asked: Option<(i64,)> =
            sqlx::query_as("SELECT 1 FROM exhibit WHERE address = ? AND sealed_size = ? LIMIT 1")
                .bind(address.0.as_slice())
                .bind(total as i64)
                .fetch_optional(&mut *self.inner.readers.get().await?)
                .await?;
        if asked.is_none() {
            return Err(VaultError::Invalid("no entry asks for this exhibit".into()));
        }
        let path = self.part_path(address);
        let mut file = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(&path)?;
        let held = file.metadata()?.len();
        if offset != held {
            return Ok(BlobProgress { complete: false, next: held });
        }
        file.seek(SeekFrom::End(0))?;
        file.write_all(bytes)?;
        let next = held + bytes.len() as u64;
        if next < total {
            return Ok(BlobProgress { complete: false, next });
        }
        if !self.accept(address, file).await? {
            return Err(VaultError::Invalid("an exhibit's bytes do not match its address".into()));
        }
        Ok(BlobProgress { complete: true, next })
    }

    /// Gives a part that has all its bytes its place, if its address holds; else it is thrown away.
    /// Hashing a long film takes a while, and a thread of its own.
    async fn accept(&self, address: &BlobAddress, mut file: File) -> Result<bool> {
        let (part, whole, address) = (self.part_path(address), self.blob_path(address), *address);
        let folder = self.inner.dir.join(BLOBS);
        let work = move || -> Result<bool> {
            file.sync_all()?;
            file.seek(SeekFrom::Start(0))?;
            let (found, _) = address_of(BufReader::with_capacity(128 * 1024, &file))?;
            if found != address {
                std::fs::remove_file(&part)?;
                return Ok(false);
            }
            std::fs::rename(&part, &whole)?;
            sync_folder(&folder)?;
            Ok(true)
        };
        tokio::task::spawn_blocking(work).await.map_err(|_| VaultError::Storage("checking was interrupted".into()))?
    }

    /// How many bytes of an exhibit stand in its part; all of them only if the process ended between
    /// the last byte and giving the part its place, which is then done here.
    async fn held(&self, address: &BlobAddress, size: u64) -> Result<Option<u64>> {
        let path = self.part_path(address);
        let held = std::fs::metadata(&path).map_or(0, |part| part.len());
        if held < size {
            return Ok(Some(held));
        }
        let file = OpenOptions::new().read(true).write(true).open(&path)?;
        Ok(if self.accept(address, file).await? { None } else { Some(0) })
    }

    /// A part of an exhibit's ciphertext.
    pub async fn read_blob_part(&self, address: &BlobAddress, offset: u64, max: usize) -> Result<Vec<u8>> {
        let mut file = File::open(self.blob_path(address))?;
        file.seek(SeekFrom::Start(offset))?;
        let mut bytes = Vec::new();
        file.take(max as u64).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Exhibits of readable records whose ciphertext is missing: (address, size, bytes already here).
    pub async fn wanted_blobs(&self) -> Result<Vec<(BlobAddress, u64, u64)>> {
        let rows: Vec<(Vec<u8>, i64)> = sqlx::query_as("SELECT DISTINCT address, sealed_size FROM exhibit")
            .fetch_all(&mut *self.inner.readers.get().await?)
            .await?;
        let mut wanted = Vec::new();
        for (address, size) in rows {
            let address = BlobAddress::try_from(address.as_slice())
                .map_err(|_| VaultError::Corrupt("an exhibit's row".into()))?;
            if !self.has_blob(&address) {
                wanted.extend(self.held(&address, size as u64).await?.map(|have| (address, size as u64, have)));
            }
        }
        Ok(wanted)
    }

    /// Bytes of an exhibit, if it is here and a recipient may read a record that shows it.
    pub async fn blob_for(
        &self,
        to: &Audience,
        device: Option<&DeviceId>,
        address: &BlobAddress,
    ) -> Result<Option<u64>> {
        let (one, two) = spellings(to, device);
        let row: Option<(i64,)> = sqlx::query_as(
            "SELECT x.sealed_size FROM exhibit x JOIN audience a ON a.record = x.record \
             WHERE x.address = ?1 AND a.who IN (?2, ?3) LIMIT 1",
        )
        .bind(address.0.as_slice())
        .bind(one)
        .bind(two)
        .fetch_optional(&mut *self.inner.readers.get().await?)
        .await?;
        Ok(row.filter(|_| self.has_blob(address)).map(|(size,)| size as u64))
    }

    /// Exhibits that are here, of records that a recipient may read: (address, size). Through a relay
    /// go those that this device added, and those of records that it granted: others post theirs.
    pub async fn blobs_for(
        &self,
        to: &Audience,
        device: Option<&DeviceId>,
        after: i64,
        through: Way,
    ) -> Result<Vec<(BlobAddress, u64)>> {
        let (one, two) = spellings(to, device);
        let me = read(&self.inner.author).as_ref().map(|author| author.signing.device_id().0.to_vec());
        let rows: Vec<(Vec<u8>, i64)> = sqlx::query_as(
            "SELECT DISTINCT x.address, x.sealed_size FROM exhibit x JOIN audience a ON a.record = x.record \
             WHERE a.who IN (?1, ?2) AND (?4 OR x.author = ?5 OR a.by_me) AND (a.since_seq > ?3 OR EXISTS \
             (SELECT 1 FROM envelope e WHERE e.record = x.record AND e.seq > ?3))",
        )
        .bind(one)
        .bind(two)
        .bind(after)
        .bind(through == Way::Direct)
        .bind(me)
        .fetch_all(&mut *self.inner.readers.get().await?)
        .await?;
        let mut here = Vec::new();
        for (address, size) in rows {
            if let Ok(address) = BlobAddress::try_from(address.as_slice())
                && self.has_blob(&address)
            {
                here.push((address, size as u64));
            }
        }
        Ok(here)
    }
}

/// A number that no other call in this process gets.
fn unique() -> u64 {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}
