//! Taking a device out: what it would mean, the second administrator's approval, the revocation.

use std::path::Path;

use logbook::roster::{ChainAction, Cut, Device, Revoke, Role, SecondApproval};
use seal::DeviceId;

use crate::error::{Code, DeskError, Result};
use crate::files::{self, Approval, ApprovalRequest};
use crate::moment;
use crate::session::Desk;
use crate::wire::{ApprovalLook, Approver, DeviceReport, RevokeLook};

/// Bytes of a reason, as the roster's chain takes it.
const MAX_REASON: usize = 2000;

/// Where a cut would lie in what is known here of a device.
struct Standing {
    known: u64,
    apart: u64,
}

impl Desk {
    /// What revoking a device would mean, with this cut; or with the last entry before the first that may
    /// have been written since `doubtful_since` (RFC 3339); or with all that is known here.
    pub async fn look_at_revoking(
        &self,
        device: &str,
        last_good: Option<u64>,
        doubtful_since: Option<&str>,
    ) -> Result<RevokeLook> {
        let device = self.revocable(device)?;
        let cut = match (last_good, doubtful_since) {
            (Some(number), _) => number,
            (None, Some(time)) => self.last_before(&device.id, time).await?,
            (None, None) => self.known_of(&device.id).await?,
        };
        self.check_known(&device.id, cut).await?;
        let standing = self.standing(&device.id, cut).await?;
        let roster = self.roster();
        Ok(RevokeLook {
            device: device.id.to_string(),
            operator: roster.name_of(&device.operator).unwrap_or("").to_owned(),
            known: standing.known,
            known_at: self.written_at(&device.id, standing.known).await?,
            cut,
            cut_at: self.written_at(&device.id, cut).await?,
            apart: standing.apart,
            approvers: self.approvers(&device.id),
            name: device.name,
        })
    }

    /// The last entry of a device before those that may have been written since a time (RFC 3339).
    pub async fn last_good_before(&self, device: &str, time: &str) -> Result<u64> {
        self.last_before(&self.revocable(device)?.id, time).await
    }

    async fn last_before(&self, device: &DeviceId, time: &str) -> Result<u64> {
        let since = moment::parse_rfc3339(time)
            .ok_or_else(|| DeskError::usage("the time is RFC 3339 with zone, such as 2026-11-24T20:41:00+01:00"))?;
        let known = self.known_of(device).await?;
        let doubtful = self.vault().doubtful_from(device, since).await?;
        Ok(doubtful.map_or(known, |number| known.min(number.saturating_sub(1))))
    }

    /// A device of this institution.
    fn revocable(&self, device: &str) -> Result<Device> {
        let id = self.find_device(device)?;
        let roster = self.roster();
        let device = roster.device(&id).ok_or_else(|| DeskError::not_found("device", device))?;
        if device.agency != *self.agency() {
            return Err(DeskError::not_allowed(
                "the device belongs to another institution: its administrators revoke it",
            ));
        }
        Ok(device.clone())
    }

    /// Of a device that is revoked already, only an earlier cut changes anything.
    fn check_earlier(&self, device: &DeviceId, number: u64) -> Result<()> {
        let held = self.roster().cut(device).map(|cut| cut.map_or(0, |cut| cut.number));
        match held {
            Some(held) if held <= number => Err(DeskError::not_allowed(format!(
                "the device is revoked already, and its entries count up to number {held}: only an earlier one changes anything"
            ))),
            _ => Ok(()),
        }
    }

    /// The last number known here of a device's chain without a gap before it; 0 where there is none.
    async fn known_of(&self, device: &DeviceId) -> Result<u64> {
        let heads = self.vault().heads().await?;
        Ok(heads.iter().find(|(id, ..)| id == device).map_or(0, |(_, number, _)| *number))
    }

    async fn cut_at(&self, device: &DeviceId, number: u64) -> Result<Option<Cut>> {
        Ok(self.vault().link_id(device, number).await?.map(|head| Cut { number, head }))
    }

    async fn standing(&self, device: &DeviceId, last_good: u64) -> Result<Standing> {
        let cut = self.cut_at(device, last_good).await?.map(|cut| (cut.number, cut.head));
        let (_, apart) = self.vault().written_count(device, cut).await?;
        Ok(Standing { known: self.known_of(device).await?, apart })
    }

    /// When an entry was written, by its author's clock, where it can be read here.
    async fn written_at(&self, device: &DeviceId, number: u64) -> Result<Option<String>> {
        let written = self.vault().written_at(device, number).await?;
        Ok(written.and_then(|written| written.wall).map(|(ms, offset)| moment::rfc3339_in(ms, offset)))
    }

    /// Administrators of whom one must approve that this device revokes another; the device concerned has
    /// no voice in it.
    fn approvers(&self, device: &DeviceId) -> Vec<Approver> {
        let roster = self.roster();
        let others = roster.devices().filter(|other| {
            let admin = other.agency == *self.agency() && other.roles.contains(&Role::Admin);
            admin && other.revoked.is_none() && other.id != self.device() && other.id != *device
        });
        let approver = |other: &Device| Approver {
            device: other.id.to_string(),
            name: other.name.clone(),
            operator: roster.name_of(&other.operator).unwrap_or("").to_owned(),
        };
        others.map(approver).collect()
    }

    /// Writes what a second administrator is asked to approve.
    pub async fn ask_approval(&self, device: &str, reason: &str, last_good: u64, out: &Path) -> Result<DeviceReport> {
        self.check_admin()?;
        let device = self.revocable(device)?.id;
        check_reason(reason)?;
        self.check_known(&device, last_good).await?;
        self.check_earlier(&device, last_good)?;
        let request = ApprovalRequest {
            device,
            last_good,
            reason: reason.to_owned(),
            by: self.device(),
            at_ms: moment::now().wall_ms,
        };
        files::write_json(out, &request)?;
        Ok(DeviceReport { device: device.to_string(), cut: Some(last_good) })
    }

    /// What another administrator asks this one to approve; signs nothing.
    pub async fn look_at_approval(&self, request: &Path) -> Result<ApprovalLook> {
        self.check_admin()?;
        let request: ApprovalRequest = files::read_json(request, "a request to approve a revocation")?;
        check_reason(&request.reason).map_err(|_| DeskError::integrity("the request gives no reason that fits"))?;
        let device = self.revocable(&request.device.to_string())?;
        self.check_earlier(&device.id, request.last_good)?;
        let roster = self.roster();
        let asker = roster.device(&request.by).filter(|asker| asker.agency == *self.agency());
        let asker = asker.ok_or_else(|| {
            DeskError::not_allowed("the request names an asker that is no device of this institution")
        })?;
        let standing = self.standing(&device.id, request.last_good).await?;
        Ok(ApprovalLook {
            device: device.id.to_string(),
            operator: roster.name_of(&device.operator).unwrap_or("").to_owned(),
            last_good: request.last_good,
            last_good_at: self.written_at(&device.id, request.last_good).await?,
            known: standing.known,
            apart: standing.apart,
            reason: request.reason,
            asked_by: asker.name.clone(),
            asked_at: moment::rfc3339(request.at_ms),
            name: device.name,
        })
    }

    /// Approves a revocation as second administrator.
    pub async fn approve_revocation(&self, device: &str, last_good: u64, out: &Path) -> Result<DeviceReport> {
        self.check_admin()?;
        let device = self.revocable(device)?.id;
        self.check_earlier(&device, last_good)?;
        if device == self.device() {
            return Err(DeskError::not_allowed("the device concerned has no voice in its own revocation"));
        }
        let second = SecondApproval::sign(&device, last_good, &self.inner.keys.signing);
        files::write_json(out, &Approval { device, last_good, second })?;
        Ok(DeviceReport { device: device.to_string(), cut: Some(last_good) })
    }

    /// Revokes a device. Without `last_good`, the cut is the last entry of it that is known here.
    pub async fn revoke(
        &self,
        device: &str,
        reason: &str,
        last_good: Option<u64>,
        second: Option<&Path>,
    ) -> Result<DeviceReport> {
        let device = self.revocable(device)?.id;
        check_reason(reason)?;
        let second = second.map(|path| files::read_json::<Approval>(path, "an approval")).transpose()?;
        let number = match last_good {
            Some(number) => number,
            None => self.known_of(&device).await?,
        };
        self.check_known(&device, number).await?;
        self.check_earlier(&device, number)?;
        if let Some(approval) = &second {
            check_approval(approval, &device, number)?;
        }
        let revoke = Revoke {
            device,
            cut: self.cut_at(&device, number).await?,
            reason: reason.to_owned(),
            effective_ms: moment::now().wall_ms,
            second: second.map(|approval| approval.second),
        };
        let alone = revoke.second.is_none();
        match self.chain(ChainAction::Revoke(revoke), Vec::new()).await {
            Ok(()) => Ok(DeviceReport { device: device.to_string(), cut: Some(number) }),
            Err(error) if alone && error.code == Code::NotAllowed => Err(self.second_needed(&device, number, error)),
            Err(error) => Err(error),
        }
    }

    /// A cut names an entry that is here: its hash is part of it.
    async fn check_known(&self, device: &DeviceId, number: u64) -> Result<()> {
        let known = self.known_of(device).await?;
        if number > known {
            return Err(DeskError::usage(format!("only {known} entries of that device are known here")));
        }
        Ok(())
    }

    /// Says who must approve a revocation, where that is why it was refused.
    fn second_needed(&self, device: &DeviceId, number: u64, error: DeskError) -> DeskError {
        let approvers = self.approvers(device);
        if approvers.is_empty() {
            return error;
        }
        let names: Vec<&str> = approvers.iter().map(|other| other.name.as_str()).collect();
        DeskError::new(
            Code::NotAllowed,
            format!("a second administrator must approve this, on one of: {}", names.join(", ")),
            format!(
                "Nothing was changed. There: `intact device approve {device} --last-good {number} --out FILE`; then give it here with --second FILE."
            ),
        )
    }
}

fn check_reason(reason: &str) -> Result<()> {
    if reason.trim().is_empty() || reason.len() > MAX_REASON {
        return Err(DeskError::usage(format!("a reason is needed, of at most {MAX_REASON} bytes")));
    }
    Ok(())
}

fn check_approval(approval: &Approval, device: &DeviceId, number: u64) -> Result<()> {
    if approval.device != *device {
        return Err(DeskError::not_allowed("the approval is for another device"));
    }
    if approval.last_good != number {
        return Err(DeskError::not_allowed(format!(
            "the approval accepts entries up to number {}, not {number}",
            approval.last_good
        )));
    }
    if !approval.second.holds(device, number) {
        return Err(DeskError::integrity("the approval's signature does not hold"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use seal::{KdfCost, Passphrase};

    use super::*;
    use crate::found::DeviceInput;
    use crate::practice::Practice;
    use crate::wire::LogIncident;

    /// A practice operation whose court has a second administrator.
    async fn two_administrators(root: &Path) -> (Practice, Desk) {
        let pass = Passphrase::new("practice makes the night shorter".into());
        let practice = Practice::found(root, &pass, KdfCost::DRILL).await.unwrap();
        let input = DeviceInput {
            agency: "emb".into(),
            operator: "Deputy".into(),
            device: "JOC 2".into(),
            roles: vec!["desk".into(), "admin".into()],
            unit: None,
        };
        let (request, welcome) = (root.join("second.request"), root.join("second.welcome"));
        let (second, _) =
            Desk::request_device_at_cost(&root.join("second"), &pass, input, &request, KdfCost::DRILL).await.unwrap();
        let look = practice.emb.look_at_request(&request).unwrap();
        assert_eq!((look.name.as_str(), look.operator.as_str()), ("JOC 2", "Deputy"));
        assert!(look.agency_key && !look.known && look.device == second.device().to_string());
        assert_eq!(practice.police.look_at_request(&request).unwrap_err().code, Code::NotAllowed);
        practice.emb.enrol(&request, &welcome).await.unwrap();
        assert!(practice.emb.look_at_request(&request).unwrap().known);
        second.join(&welcome, None).await.unwrap();
        second.close_by_reference().await;
        let second = Desk::open(&root.join("second"), &pass).await.unwrap();
        (practice, second)
    }

    async fn log(desk: &Desk, summary: &str) -> String {
        let incident = serde_json::json!({ "category": "ops:box-tampering", "summary": summary });
        let incident: LogIncident = serde_json::from_value(incident).unwrap();
        desk.log(incident).await.unwrap().reference
    }

    #[tokio::test]
    async fn the_second_administrator_sees_what_is_asked_and_what_it_would_mean() {
        let root = tempfile::tempdir().unwrap();
        let (practice, second) = two_administrators(root.path()).await;
        let (emb, field) = (&practice.emb, &practice.field);
        log(field, "Ballot box destroyed").await;
        practice.carry(field, "emb", emb, root.path()).await.unwrap();
        practice.carry(field, "emb", &second, root.path()).await.unwrap();
        let look = emb.look_at_revoking("Field 12", None, None).await.unwrap();
        assert_eq!((look.known, look.cut, look.apart), (1, 1, 0));
        let none = emb.look_at_revoking("Field 12", Some(0), None).await.unwrap();
        assert_eq!((none.cut, none.cut_at, none.apart), (0, None, 1));
        assert!(look.known_at.is_some() && look.known_at == look.cut_at);
        assert_eq!(look.approvers.iter().map(|other| other.name.as_str()).collect::<Vec<_>>(), ["JOC 2"]);
        // Alone it is refused, and nothing changes.
        assert_eq!(emb.revoke("Field 12", "stolen", None, None).await.unwrap_err().code, Code::NotAllowed);
        let (asked, approved) = (root.path().join("asked"), root.path().join("approved"));
        assert_eq!(emb.ask_approval("Field 12", " ", 1, &asked).await.unwrap_err().code, Code::Usage);
        assert_eq!(emb.ask_approval("Field 12", "stolen", 2, &asked).await.unwrap_err().code, Code::Usage);
        emb.ask_approval("Field 12", "stolen 21:10", 0, &asked).await.unwrap();
        let seen = second.look_at_approval(&asked).await.unwrap();
        assert_eq!(
            (seen.name.as_str(), seen.reason.as_str(), seen.asked_by.as_str()),
            ("Field 12", "stolen 21:10", "JOC 1")
        );
        assert_eq!((seen.last_good, seen.known, seen.apart), (0, 1, 1));
        // Nobody else's to judge.
        assert_eq!(field.look_at_approval(&asked).await.unwrap_err().code, Code::NotAllowed);
        // The police have not even heard of that device.
        assert_eq!(practice.police.look_at_approval(&asked).await.unwrap_err().code, Code::NotFound);
        assert_eq!(field.approve_revocation("Field 12", 0, &approved).await.unwrap_err().code, Code::NotAllowed);
        second.approve_revocation("Field 12", 0, &approved).await.unwrap();
        // An approval holds for what it says and nothing else.
        let other = emb.revoke("Field 12", "stolen", Some(1), Some(&approved)).await.unwrap_err();
        assert!(other.message.contains("up to number 0"), "{}", other.message);
        emb.revoke("Field 12", "stolen 21:10", Some(0), Some(&approved)).await.unwrap();
        let row = emb.roster_show().await.unwrap().devices.into_iter().find(|row| row.name == "Field 12").unwrap();
        assert_eq!((row.status.as_str(), row.apart, row.here), ("revoked", 1, false));
        assert!(row.last_contact.is_some() && row.revoked_at.is_some());
        assert_eq!(emb.revoke("Field 12", "again", None, None).await.unwrap_err().code, Code::NotAllowed);
        assert_eq!(emb.look_at_approval(&approved).await.unwrap_err().code, Code::Integrity);
    }

    #[tokio::test]
    async fn what_came_here_before_a_time_is_not_in_doubt() {
        let root = tempfile::tempdir().unwrap();
        let (practice, _) = two_administrators(root.path()).await;
        let (emb, field) = (&practice.emb, &practice.field);
        log(field, "First").await;
        practice.carry(field, "emb", emb, root.path()).await.unwrap();
        let between = moment::now().wall_ms + 1;
        while moment::now().wall_ms <= between {
            tokio::task::yield_now().await;
        }
        let between = moment::rfc3339(between);
        log(field, "Second").await;
        log(field, "Third").await;
        practice.carry(field, "emb", emb, root.path()).await.unwrap();
        let cut = async |time: &str| {
            let look = emb.look_at_revoking("Field 12", None, Some(time)).await.unwrap();
            (look.known, look.cut, look.apart)
        };
        assert_eq!(cut(&between).await, (3, 1, 2));
        assert_eq!(cut("2020-01-01T00:00:00Z").await, (3, 0, 3));
        assert_eq!(cut("2100-01-01T00:00:00Z").await, (3, 3, 0));
        assert_eq!(emb.look_at_revoking("Field 12", None, Some("21:10")).await.unwrap_err().code, Code::Usage);
        assert_eq!(emb.look_at_revoking("K2 desk", None, None).await.unwrap_err().code, Code::NotAllowed);
    }
}
