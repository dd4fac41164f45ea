//! Errors at the edge: a short list of codes, each with what happened, what is safe, what to do next.

use logbook::authorise::Denied;
use seal::SealError;
use vault::VaultError;

/// The codes that scripts rely on; the number is the exit status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// The call itself is wrong.
    Usage = 2,
    /// Not allowed, wrong recipient, or a step that the workflow does not allow.
    NotAllowed = 3,
    /// Not found, or ambiguous.
    NotFound = 4,
    /// Integrity failure: nothing was imported.
    Integrity = 5,
    /// Locked, or a wrong passphrase.
    Locked = 6,
    /// A peer or the network.
    Network = 7,
    /// Storage: disk full, input or output.
    Storage = 8,
}

impl Code {
    /// The name in `{"error":{"code":…}}`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Usage => "usage",
            Self::NotAllowed => "not-allowed",
            Self::NotFound => "not-found",
            Self::Integrity => "integrity",
            Self::Locked => "locked",
            Self::Network => "network",
            Self::Storage => "storage",
        }
    }
}

/// An error for a person.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct DeskError {
    /// What scripts act on.
    pub code: Code,
    /// What happened.
    pub message: String,
    /// What is safe, what to do next.
    pub advice: String,
}

/// The result of a use case.
pub type Result<T> = std::result::Result<T, DeskError>;

impl DeskError {
    /// An error of this code.
    pub fn new(code: Code, message: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { code, message: message.into(), advice: advice.into() }
    }
    /// The call is wrong.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Code::Usage, message, "Nothing was changed. See the command's --help.")
    }
    /// A step that is not allowed.
    pub fn not_allowed(message: impl Into<String>) -> Self {
        Self::new(
            Code::NotAllowed,
            message,
            "Nothing was changed. Ask someone who holds the role, or take another step.",
        )
    }
    /// Nothing has that name.
    pub fn not_found(what: &str, name: &str) -> Self {
        let message = format!("no {what} is called {name} here");
        Self::new(
            Code::NotFound,
            message,
            "Nothing was changed. Check the name, or exchange first: it may not have reached this device.",
        )
    }
    /// Several things have that name.
    pub fn ambiguous(name: &str, ids: &[String]) -> Self {
        let message = format!("{name} could be any of: {}", ids.join(", "));
        Self::new(Code::NotFound, message, "Nothing was changed. Give more of the name.")
    }
    /// Bytes that do not hold.
    pub fn integrity(message: impl Into<String>) -> Self {
        Self::new(
            Code::Integrity,
            message,
            "Nothing was imported; what this device holds is untouched. Ask the sender for a new copy.",
        )
    }
    /// The network or the peer.
    pub fn network(message: impl Into<String>) -> Self {
        Self::new(
            Code::Network,
            message,
            "Everything on this device is kept. Try again, or use another way: LAN, relay or USB parcel.",
        )
    }
    /// The disk.
    pub fn storage(message: impl Into<String>) -> Self {
        Self::new(
            Code::Storage,
            message,
            "What was signed and kept before is safe. Free some space or check the disk, then try again.",
        )
    }
}

impl From<VaultError> for DeskError {
    fn from(error: VaultError) -> Self {
        let message = error.to_string();
        match error {
            VaultError::NotAVault => {
                Self::new(Code::NotFound, message, "Check the folder, or start an operation with `intact init`.")
            }
            VaultError::AlreadyExists => {
                Self::new(Code::NotAllowed, message, "The vault there is untouched. Choose another folder.")
            }
            VaultError::InUse => Self::new(
                Code::Locked,
                message,
                "Another window or command has this vault open. Close it, then try again.",
            ),
            VaultError::WrongPassphrase => Self::new(
                Code::Locked,
                message,
                "The vault is untouched. Check the passphrase and try again; there is no way around it.",
            ),
            VaultError::Full => Self::storage(message),
            VaultError::Storage(_) => Self::storage(message),
            VaultError::Denied(denied) => denied.into(),
            VaultError::Corrupt(_) => Self::new(
                Code::Integrity,
                message,
                "Nothing was changed. Run `intact check`; other devices hold copies of what was exchanged.",
            ),
            VaultError::NoKey(_) => {
                Self::new(Code::NotAllowed, message, "The owner of the record can share it with your institution.")
            }
            VaultError::StaleClone => Self::new(
                Code::NotAllowed,
                message,
                "This vault was restored from an old image and must not write. Everything in it can be read; ask your administrator to enrol this device anew.",
            ),
            _ => Self::new(Code::Usage, message, "Nothing was changed."),
        }
    }
}

impl From<Denied> for DeskError {
    fn from(denied: Denied) -> Self {
        Self::not_allowed(denied.to_string())
    }
}

impl From<SealError> for DeskError {
    fn from(error: SealError) -> Self {
        match error {
            SealError::WrongPassphrase => {
                Self::new(Code::Locked, error.to_string(), "Nothing was changed. Check the passphrase and try again.")
            }
            SealError::NoKey => Self::new(
                Code::NotAllowed,
                error.to_string(),
                "It is addressed to someone else; give it to them unopened.",
            ),
            SealError::Stream(_) => Self::storage(error.to_string()),
            other => Self::integrity(other.to_string()),
        }
    }
}

impl From<std::io::Error> for DeskError {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::NotFound => {
                Self::new(Code::NotFound, "a file or folder is not there", "Nothing was changed. Check the path.")
            }
            kind => Self::storage(format!("reading or writing a file failed: {kind}")),
        }
    }
}
