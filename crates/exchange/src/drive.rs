//! Does what a conversation asks of its store, and gives it the answers. What it asks of the
//! transport, the transport does: [`Effect::Send`], [`Effect::Done`], [`Effect::Ended`],
//! [`Effect::Drop`].

use crate::conversation::{Conversation, Effect};
use crate::frame::Head;
use crate::store::{Store, StoreError};

/// Whether an effect is the transport's to do.
pub fn is_for_transport(effect: &Effect) -> bool {
    matches!(effect, Effect::Send(_) | Effect::Done | Effect::Ended(_) | Effect::Drop(_))
}

/// Does one effect; gives back what follows from it. Before anything is given to the peer or taken
/// from it, the roster is asked again who holds `key`: a device may be revoked while it talks.
pub async fn act<S: Store>(
    store: &S,
    key: &[u8; 32],
    conversation: &mut Conversation,
    effect: Effect,
) -> Result<Vec<Effect>, StoreError> {
    if matches!(effect, Effect::Load { .. } | Effect::Take(_) | Effect::Hold | Effect::Give(_) | Effect::GiveBlob(..)) {
        match store.peer(key) {
            Some(peer) if peer.device == conversation.peer().device => conversation.peer_is(peer),
            _ => return Ok(vec![Effect::Drop("the roster does not certify it any more")]),
        }
    }
    Ok(match effect {
        Effect::LookUp(theirs) => {
            let after = store.cursor(&theirs).await?;
            conversation.known(after, store.heads().await?)
        }
        Effect::Load { after, sparse: false } => conversation.page(store.outgoing(conversation.peer(), after).await?),
        Effect::Load { after, sparse: true } => conversation.page(store.sparse(conversation.peer(), after).await?),
        Effect::Take(frames) => conversation.taken(store.take(conversation.peer(), frames).await?),
        Effect::Cover { store: theirs, up_to, heads } => {
            store.put_cursor(&theirs, up_to).await?;
            let heads: Vec<Head> = if heads { store.heads().await? } else { Vec::new() };
            let ack = store.ack_with(theirs, up_to, conversation.for_peer(&heads));
            conversation.covered(ack, &heads)
        }
        Effect::Acked(ack) => {
            store.acked(ack).await?;
            Vec::new()
        }
        Effect::Hold => conversation.held(store.held(conversation.peer()).await?),
        Effect::Give(ids) => conversation.given(store.give(conversation.peer(), &ids).await?),
        Effect::Wanted => conversation.wanted(store.wanted().await?),
        Effect::TakeBlob(part) => conversation.blob_taken(store.take_blob(part).await?),
        Effect::GiveBlob(address, from) => {
            let part = store.blob(conversation.peer(), address, from).await?;
            conversation.blob(address, from, part)
        }
        Effect::Send(_) | Effect::Done | Effect::Ended(_) | Effect::Drop(_) => Vec::new(),
    })
}
