//! LAN, relay, parcels, dossiers, imports, checks.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use desk::wire::{DossierReport, SyncReport};
use desk::{DeskError, OpenedDossier};
use indicatif::{ProgressBar, ProgressStyle};

use super::Context;
use crate::args::{Dossier, Import, Parcel, Relay, Sync, Trust};
use crate::output::{emit, plain};
use crate::place::given;
use crate::usage;

/// Until the process is asked to end.
async fn stopped() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let Ok(mut terminate) = signal(SignalKind::terminate()) else {
            return std::future::pending().await;
        };
        tokio::select! {
            _ = terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
    }
    #[cfg(not(unix))]
    let _ = tokio::signal::ctrl_c().await;
}

/// A bar on a terminal; nothing elsewhere.
pub(super) fn progress(what: &'static str) -> Arc<dyn Fn(u64, u64) + Send + std::marker::Sync> {
    let bar = ProgressBar::new(0);
    if let Ok(style) = ProgressStyle::with_template("{msg} {bar:40} {pos}/{len}") {
        bar.set_style(style);
    }
    bar.set_message(what);
    Arc::new(move |done, total| {
        bar.set_length(total);
        bar.set_position(done);
    })
}

/// Says on a terminal that work goes on whose length is not known; gone when dropped.
struct Busy(ProgressBar);

impl Busy {
    fn with(what: &'static str) -> Self {
        let bar = ProgressBar::new_spinner().with_message(what);
        bar.enable_steady_tick(std::time::Duration::from_millis(200));
        Self(bar)
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

pub async fn serve(context: &Context, listen: SocketAddr) -> Result<(), DeskError> {
    let desk = context.open().await?;
    let ready = |at: SocketAddr, id: &str| eprintln!("listening on {at}\nendpoint {id}");
    let done = desk.serve(listen, ready, stopped()).await;
    desk.close().await;
    done
}

fn sync_text(report: &SyncReport) -> String {
    let mut text = format!(
        "{} new, {} refused · sent {} entries · {} bytes in, {} out",
        report.received.entries,
        report.refused.len(),
        report.sent.entries,
        report.bytes.r#in,
        report.bytes.out
    );
    for refusal in &report.refused {
        text += &format!("\n  not taken: {}", plain(&refusal.reason));
    }
    text
}

pub async fn sync(context: &Context, args: Sync) -> Result<(), DeskError> {
    let desk = context.open().await?;
    let token = args.operation_tag.as_deref();
    let done = match (args.way.peer, args.way.relay) {
        (Some(peer), _) => {
            desk.sync_peer(peer, args.watch).await.and_then(|report| emit(context.json, &report, sync_text))
        }
        (None, Some(url)) if args.watch => {
            let json = context.json;
            let connected = |report: &SyncReport| {
                let _ = emit(json, report, sync_text);
            };
            desk.watch_relay(&url, token, connected, stopped()).await
        }
        (None, Some(url)) => {
            desk.sync_relay(&url, token).await.and_then(|report| emit(context.json, &report, sync_text))
        }
        (None, None) => Err(DeskError::usage("give --peer ADDR or --relay URL")),
    };
    desk.close().await;
    done
}

pub async fn relay(args: Relay) -> Result<(), DeskError> {
    // Not a folder with that name.
    if args.blobs.as_deref().is_some_and(|place| place.contains("://")) {
        return Err(usage::not_yet("a relay that keeps large batches in an object store"));
    }
    let blobs = args.blobs.map(PathBuf::from);
    let ready = |at: SocketAddr| eprintln!("listening on {at}");
    desk::relaying::relay(args.listen, &args.store, blobs, args.operation_tag.as_deref(), ready, stopped()).await
}

pub async fn parcel(context: &Context, command: Parcel) -> Result<(), DeskError> {
    if let Parcel::Read { file } | Parcel::Inspect { file } = &command {
        given(file)?;
    }
    let desk = context.open().await?;
    let done = match command {
        Parcel::Write { to, out } => {
            let busy = Busy::with("writing the parcel");
            let report = desk.write_parcel(&to, &out).await;
            drop(busy);
            report.and_then(|report| {
                emit(context.json, &report, |r| {
                    format!("{} entries for {to}, {} bytes. A courier cannot read it.", r.sent.entries, r.size)
                })
            })
        }
        Parcel::Read { file } => {
            let busy = Busy::with("checking the parcel and taking it in");
            let report = desk.read_parcel(&file).await;
            drop(busy);
            report.and_then(|report| {
                emit(context.json, &report, |r| format!("{} new, {} refused", r.received.entries, r.refused.len()))
            })
        }
        Parcel::Inspect { file } => desk.inspect_parcel(&file).and_then(|report| {
            emit(context.json, &report, |r| {
                format!("A parcel of {} bytes, undamaged. What is in it, only its addressee can say.", r.size)
            })
        }),
    };
    desk.close().await;
    done
}

pub async fn dossier(context: &Context, command: Dossier) -> Result<(), DeskError> {
    if let Dossier::Open { file, .. } = &command {
        given(file)?;
    }
    let desk = context.open().await?;
    let done = match command {
        Dossier::Export { records, out, addressee, seal } => {
            let busy = Busy::with("writing the dossier");
            let report = desk.export_dossier(&records, &out, addressee.as_deref(), seal).await;
            drop(busy);
            report.and_then(|report| emit(context.json, &report, |r| exported_text(r, seal)))
        }
        Dossier::Open { file, out } => {
            let busy = Busy::with("opening and checking the dossier");
            let report = desk.open_dossier(&file, &out).await;
            drop(busy);
            report.and_then(|report| emit(context.json, &report, opened_text))
        }
    };
    desk.close().await;
    done
}

fn exported_text(report: &DossierReport, sealed: bool) -> String {
    let next = if sealed {
        "Only its addressee can open it, with `intact dossier open`."
    } else {
        "Verify it with intact-verify and a trust file that came another way."
    };
    format!("{} entries, {} exhibits: {}\n{next}", report.entries, report.exhibits, report.dossier)
}

/// The verdict first, as the verifier puts it.
fn opened_text(report: &OpenedDossier) -> String {
    let mut text = match (&report.verdict, &report.as_of) {
        (Some(verdict), Some(as_of)) => format!("{verdict}, by the roster of this device as known on {as_of}\n"),
        (Some(verdict), None) => format!("{verdict}, by the roster of this device\n"),
        (None, _) => "Not judged: this device is part of no operation.\n".to_owned(),
    };
    for problem in &report.problems {
        text += &format!("  {}\n", plain(problem));
    }
    text += &format!("{} entries, {} exhibits: {}\n", report.entries, report.exhibits, report.dossier);
    text + "It lies there readable to whoever reads that folder."
}

pub async fn trust(context: &Context, command: Trust) -> Result<(), DeskError> {
    let Trust::Export { out } = command;
    let desk = context.open().await?;
    let done = desk.export_trust(&out).await;
    desk.close().await;
    emit(context.json, &done?, |r| format!("Trust file as of {}, epoch {}.", r.as_of, r.epoch))
}

pub async fn import(context: &Context, command: Import) -> Result<(), DeskError> {
    let Import::Csv { file, mapping } = command;
    given(&file)?;
    given(&mapping)?;
    let desk = context.open().await?;
    let done = desk.import_csv(&file, &mapping, progress("importing")).await;
    desk.close().await;
    emit(context.json, &done?, |r| {
        let mut text = format!("{} created, {} already here, {} refused", r.created, r.updated, r.skipped.len());
        for row in &r.skipped {
            text += &format!("\n  row {}: {}", row.row, plain(&row.reason));
        }
        text
    })
}

pub async fn check(context: &Context, rebuild: bool, trail: bool) -> Result<(), DeskError> {
    let desk = context.open().await?;
    let done = if trail {
        desk.verify_trail(progress("checking")).await
    } else {
        desk.check(rebuild, progress("checking")).await
    };
    desk.close().await;
    let report = done?;
    let sound = report.problems.is_empty();
    emit(context.json, &report, |r| {
        let mut text = format!("{} entries in {} records, {} problems", r.entries, r.records, r.problems.len());
        for problem in &r.problems {
            text += &format!("\n  {}", plain(problem));
        }
        text
    })?;
    if sound { Ok(()) } else { Err(DeskError::integrity("the vault does not verify")) }
}
