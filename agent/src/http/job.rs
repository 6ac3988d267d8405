//! Work that somebody asked for over HTTP and that may take minutes: one at a time, on a thread of its own. Whoever
//! asks while it goes on joins it.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;

/// Work of one kind, which gives a `T`. Cloning it is cheap: all clones are the same work.
pub struct Job<T>(Arc<Inner<T>>);

struct Inner<T> {
    name: &'static str,
    state: watch::Sender<JobState<T>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// How the work goes.
pub struct JobState<T> {
    /// Since when it is under way, if it is.
    pub begun_at: Option<Timestamp>,
    /// What it gave the last time that it came to its end.
    pub last: Option<Arc<T>>,
}

impl<T> Clone for Job<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Clone for JobState<T> {
    fn clone(&self) -> Self {
        Self { begun_at: self.begun_at, last: self.last.clone() }
    }
}

impl<T: Send + Sync + 'static> Job<T> {
    /// Work that is called `name`, and that nobody has asked for yet.
    pub fn new(name: &'static str) -> Self {
        let state = watch::Sender::new(JobState { begun_at: None, last: None });
        Self(Arc::new(Inner { name, state, thread: Mutex::default() }))
    }

    /// How it goes.
    pub fn state(&self) -> JobState<T> {
        self.0.state.borrow().clone()
    }

    /// Begins `work`, which is told since when it goes on, unless it is under way already. Gives since when that is.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn begin(&self, work: impl FnOnce(Timestamp) -> T + Send + 'static) -> io::Result<Timestamp> {
        let begun_at = Timestamp::now();
        let mut since = begun_at;
        let is_new = self.0.state.send_if_modified(|state| {
            let is_new = state.begun_at.is_none();
            since = *state.begun_at.get_or_insert(begun_at);
            is_new
        });
        if !is_new {
            return Ok(since);
        }
        let over = Over(Arc::clone(&self.0));
        let run = move || {
            let gave = Arc::new(work(begun_at));
            over.0.state.send_modify(|state| state.last = Some(gave));
        };
        let thread = Builder::new().name(self.0.name.to_owned()).spawn(run).inspect_err(|error| {
            tracing::error!(code = "internal", "no thread could be started for the {}: {error}", self.0.name);
        })?;
        *self.0.thread.lock().unwrap_or_else(PoisonError::into_inner) = Some(thread);
        Ok(since)
    }

    /// Waits for its end if it is under way, but not longer than `patience`.
    pub async fn wait(&self, patience: Duration) {
        let mut state = self.0.state.subscribe();
        // What goes on longer is seen in the state.
        let _ = tokio::time::timeout(patience, state.wait_for(|state| state.begun_at.is_none())).await;
    }

    /// Waits for its end if it is under way, on this thread.
    pub fn finish(&self) {
        let thread = self.0.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        // Why it failed is in the log.
        thread.map(JoinHandle::join);
    }
}

/// The end of the work, however it comes: also where it fails unexpectedly, and where it could not begin.
struct Over<T>(Arc<Inner<T>>);

impl<T> Drop for Over<T> {
    fn drop(&mut self) {
        self.0.state.send_modify(|state| state.begun_at = None);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[tokio::test]
    async fn work_is_done_once_at_a_time_and_who_waits_sees_its_end() {
        let job = Job::new("test");
        let (go_on, waiting) = channel::<()>();
        job.begin(move |_| waiting.recv().map_or(0, |()| 1)).expect("it begins");
        let since = job.state().begun_at.expect("it goes on");
        assert_eq!(job.begin(|_| 2).expect("it is joined"), since);
        job.wait(Duration::from_millis(1)).await;
        assert_eq!((job.state().begun_at, job.state().last), (Some(since), None), "it takes longer than who waits");
        go_on.send(()).expect("it waits for this");
        job.wait(Duration::from_secs(60)).await;
        assert_eq!((job.state().begun_at, job.state().last.as_deref()), (None, Some(&1)));
        job.begin(|_| 3).expect("it begins anew");
        job.finish();
        assert_eq!((job.state().begun_at, job.state().last.as_deref()), (None, Some(&3)));
    }

    #[tokio::test]
    async fn work_that_fails_unexpectedly_is_over_and_can_be_begun_again() {
        let job = Job::new("test");
        job.begin(|_| 1).expect("it begins");
        job.finish();
        job.begin(|_| std::panic::resume_unwind(Box::new("a defect"))).expect("it begins");
        job.finish();
        assert_eq!((job.state().begun_at, job.state().last.as_deref()), (None, Some(&1)));
        job.begin(|_| 2).expect("it begins");
        job.wait(Duration::from_secs(60)).await;
        assert_eq!(job.state().last.as_deref(), Some(&2));
    }
}
