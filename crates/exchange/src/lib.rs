//! Sync: one set of frames, a conversation as a pure state machine, and three ways to carry it:
//! a direct connection on a LAN, mailboxes at a relay, a parcel on a stick.

pub mod conversation;
pub mod drive;
pub mod frame;
pub mod lan;
pub mod mailbox;
pub mod parcel;
pub mod relay;
pub mod store;

pub use conversation::{Conversation, Effect, Me, Summary};
pub use frame::{Frame, FrameError};
pub use store::{Held, Page, Peer, Store, Taken};
