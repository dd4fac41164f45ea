//! Which answer belongs to which question. A relay that answers what nobody asked, or more than
//! was asked, is not believed.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::{mpsc, oneshot, watch};

use super::error::{ClientError, Reason};
use super::{Posted, Stands};
use crate::relay::MAX_BATCH;
use crate::relay::store::{Item, Page};
use crate::relay::wire::RelayMessage;

/// Most bytes taken for one page: the relay's own default is 1 MiB or one batch; eight times
/// that leaves it room and bounds what a lying one can make us hold.
const MAX_PAGE_BYTES: usize = 8 * MAX_BATCH;

type Answer<T> = oneshot::Sender<Result<T, ClientError>>;

/// Who waits for the answers to a request.
pub(super) enum Route {
    Post(Answer<Posted>),
    Status(Answer<Stands>),
    Page { answer: Answer<Page>, items: Vec<Item>, last: u64, most: u32, bytes: usize },
    Live { items: mpsc::Sender<Result<Item, ClientError>>, last: u64 },
}

impl Route {
    pub(super) fn page(answer: Answer<Page>, after: u64, most: u32) -> Self {
        Self::Page { answer, items: Vec::new(), last: after, most, bytes: 0 }
    }

    fn fail(self, error: ClientError) {
        // Nobody waiting any more is no news to anybody.
        match self {
            Self::Post(answer) => drop(answer.send(Err(error))),
            Self::Status(answer) => drop(answer.send(Err(error))),
            Self::Page { answer, .. } => drop(answer.send(Err(error))),
            Self::Live { items, .. } => drop(items.try_send(Err(error))),
        }
    }
}

#[derive(Default)]
struct State {
    open: HashMap<u32, Route>,
    ended: Option<Reason>,
}

/// The open requests of a connection.
pub(super) struct Routes {
    state: Mutex<State>,
    over: watch::Sender<bool>,
}

impl Default for Routes {
    fn default() -> Self {
        Self { state: Mutex::default(), over: watch::channel(false).0 }
    }
}

/// While it lives, its request is open.
pub(super) struct Asking<'a> {
    routes: &'a Routes,
    request: u32,
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        self.routes.close(self.request);
    }
}

impl Routes {
    /// Opens a request, to be closed when the guard goes.
    pub(super) fn open(&self, request: u32, route: Route) -> Result<Asking<'_>, ClientError> {
        self.open_until_closed(request, route)?;
        Ok(Asking { routes: self, request })
    }

    pub(super) fn open_until_closed(&self, request: u32, route: Route) -> Result<(), ClientError> {
        let mut state = self.lock();
        if let Some(reason) = &state.ended {
            return Err(reason.clone().into());
        }
        state.open.insert(request, route);
        Ok(())
    }

    /// Forgets a request; whether it was open.
    pub(super) fn close(&self, request: u32) -> bool {
        self.lock().open.remove(&request).is_some()
    }

    pub(super) fn reason(&self) -> Option<Reason> {
        self.lock().ended.clone()
    }

    /// The connection is over: tells everyone who waits.
    pub(super) fn end(&self, reason: Reason) {
        let mut state = self.lock();
        let reason = state.ended.get_or_insert(reason).clone();
        for (_, route) in state.open.drain() {
            route.fail(reason.clone().into());
        }
        drop(state);
        self.over.send_replace(true);
    }

    /// Completes when the connection is over.
    pub(super) async fn ended(&self) {
        // The sender lives as long as `self`.
        let _ = self.over.subscribe().wait_for(|over| *over).await;
    }

    /// Takes a message to whoever waits for it. Answers to requests that are not open are late
    /// and dropped. Yields the number of a live read that its consumer could not keep up with.
    pub(super) fn dispatch(&self, message: RelayMessage) -> Result<Option<u32>, Reason> {
        let mut state = self.lock();
        match message {
            RelayMessage::Welcome { .. } => Err(Reason::Broken("a second welcome")),
            RelayMessage::Refused { request: 0, code, wait_ms, reason } => {
                Err(Reason::Refused { code, wait_ms, reason })
            }
            RelayMessage::Refused { request, code, wait_ms, reason } => {
                if let Some(route) = state.open.remove(&request) {
                    route.fail(ClientError::Refused { code, wait_ms, reason });
                }
                Ok(None)
            }
            RelayMessage::Posted { request, seq, duplicate } => match state.open.remove(&request) {
                Some(Route::Post(answer)) => {
                    let _ = answer.send(Ok(Posted { seq, duplicate }));
                    Ok(None)
                }
                None => Ok(None),
                Some(_) => Err(Reason::Broken("an answer to another question")),
            },
            RelayMessage::Stands { request, stands } => match state.open.remove(&request) {
                Some(Route::Status(answer)) => {
                    let _ = answer.send(Ok(stands));
                    Ok(None)
                }
                None => Ok(None),
                Some(_) => Err(Reason::Broken("an answer to another question")),
            },
            RelayMessage::Item { request, seq, batch } => item(&mut state, request, seq, batch),
            RelayMessage::End { request, next, more } => end(&mut state, request, next, more),
        }
    }

    /// A poisoned lock here guards a plain map that is whole after any panic.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn item(state: &mut State, request: u32, seq: u64, batch: Vec<u8>) -> Result<Option<u32>, Reason> {
    match state.open.get_mut(&request) {
        None => Ok(None),
        Some(Route::Page { items, last, most, bytes, .. }) => {
            *bytes = bytes.saturating_add(batch.len());
            if seq <= *last || items.len() >= *most as usize || *bytes > MAX_PAGE_BYTES {
                return Err(Reason::Broken("a page that was not asked for"));
            }
            *last = seq;
            items.push(Item { seq, batch });
            Ok(None)
        }
        Some(Route::Live { items, last }) => {
            if seq <= *last {
                return Err(Reason::Broken("items out of order"));
            }
            *last = seq;
            if items.try_send(Ok(Item { seq, batch })).is_ok() {
                return Ok(None);
            }
            // Full: the consumer asks again from its own cursor. Gone: nobody asks.
            state.open.remove(&request);
            Ok(Some(request))
        }
        Some(_) => Err(Reason::Broken("an answer to another question")),
    }
}

fn end(state: &mut State, request: u32, next: u64, more: bool) -> Result<Option<u32>, Reason> {
    match state.open.get(&request) {
        // A live read has caught up and stays open.
        None | Some(Route::Live { .. }) => return Ok(None),
        Some(Route::Page { last, .. }) if next >= *last => {}
        Some(_) => return Err(Reason::Broken("an answer to another question")),
    }
    if let Some(Route::Page { answer, items, .. }) = state.open.remove(&request) {
        let _ = answer.send(Ok(Page { items, next, more }));
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn an_item(seq: u64) -> RelayMessage {
        RelayMessage::Item { request: 1, seq, batch: vec![1] }
    }

    #[test]
    fn a_lying_relay_is_not_believed() {
        let page = || {
            let routes = Routes::default();
            let (answer, answered) = oneshot::channel();
            routes.open_until_closed(1, Route::page(answer, 5, 2)).unwrap();
            (routes, answered)
        };
        let (routes, _answered) = page();
        assert!(routes.dispatch(an_item(5)).is_err(), "before the cursor");
        let (routes, _answered) = page();
        assert!(routes.dispatch(an_item(7)).is_ok());
        assert!(routes.dispatch(an_item(7)).is_err(), "the same again");
        let (routes, _answered) = page();
        assert!(routes.dispatch(an_item(7)).is_ok());
        assert!(routes.dispatch(an_item(8)).is_ok());
        assert!(routes.dispatch(an_item(9)).is_err(), "more than was asked for");
        let (routes, _answered) = page();
        assert!(routes.dispatch(an_item(7)).is_ok());
        let end = RelayMessage::End { request: 1, next: 6, more: false };
        assert!(routes.dispatch(end).is_err(), "a cursor before the items");
        let (routes, _answered) = page();
        let posted = RelayMessage::Posted { request: 1, seq: 1, duplicate: false };
        assert!(routes.dispatch(posted).is_err(), "another kind of answer");
        let (routes, _answered) = page();
        let late = RelayMessage::Posted { request: 2, seq: 1, duplicate: false };
        assert!(routes.dispatch(late).is_ok(), "nobody waits");
    }

    #[test]
    fn the_end_reaches_everyone() {
        let routes = Routes::default();
        let (answer, mut answered) = oneshot::channel();
        routes.open_until_closed(1, Route::Post(answer)).unwrap();
        routes.end(Reason::lost("gone"));
        routes.end(Reason::lost("later"));
        assert!(matches!(answered.try_recv(), Ok(Err(ClientError::Lost(why))) if why == "gone"));
        let (answer, _) = oneshot::channel();
        assert!(routes.open(2, Route::Post(answer)).is_err());
    }

    #[test]
    fn a_slow_consumer_is_cut_off_and_told_nothing_wrong() {
        let routes = Routes::default();
        let (items, mut received) = mpsc::channel(1);
        routes.open_until_closed(1, Route::Live { items, last: 0 }).unwrap();
        assert_eq!(routes.dispatch(an_item(1)).unwrap(), None);
        assert_eq!(routes.dispatch(an_item(2)).unwrap(), Some(1));
        assert_eq!(routes.dispatch(an_item(3)).unwrap(), None);
        assert!(matches!(received.try_recv(), Ok(Ok(Item { seq: 1, .. }))));
        assert!(received.try_recv().is_err());
    }
}
