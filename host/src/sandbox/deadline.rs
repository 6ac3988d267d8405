//! The deadline of a run.
//!
//! Compiled code looks at a counter of the engine, the epoch, in every loop. A ticker thread counts it up while runs
//! are under way, and sleeps while there are none. A store that was never given a deadline stops at its first
//! instruction, and the only way to get one is [`Ticker::begin`], which makes the ticker tick: a deadline that is half
//! on cannot be expressed.
//!
//! At every tick the run's [`Stopwatch`] decides. It does not count the time that was spent waiting for the product.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use wasmtime::{Engine, EngineWeak, Store, UpdateDeadline};

use super::LoadError;

/// How exact a deadline is. Each tick costs a plugin that computes one look at a clock.
const TICK: Duration = Duration::from_millis(10);

/// Counts the epoch of one engine up while it has runs. Its thread ends when the ticker and the engine are gone.
#[derive(Debug)]
pub(crate) struct Ticker {
    runs: Arc<Runs>,
}

#[derive(Debug, Default)]
struct Runs {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    under_way: usize,
    closed: bool,
}

impl Runs {
    /// The state. Nobody panics while holding it, so a poisoned lock has sound contents.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ticker {
    /// A ticker for `engine`, which it holds weakly: it never keeps compiled code alive.
    ///
    /// # Errors
    /// When the operating system gives no thread.
    pub(crate) fn start(engine: &Engine) -> Result<Self, LoadError> {
        let runs = Arc::new(Runs::default());
        let (engine, seen) = (engine.weak(), Arc::clone(&runs));
        std::thread::Builder::new()
            .name("seatline-epoch".to_owned())
            .spawn(move || tick(&engine, &seen))
            .map_err(|error| LoadError::Engine(format!("the thread of the deadlines: {error}")))?;
        Ok(Self { runs })
    }

    /// Gives `store` its deadline, by the stopwatch that `watch` finds in its data. It holds until the run under way is
    /// dropped, and the store must not be used after that.
    pub(crate) fn begin<T: 'static>(&self, store: &mut Store<T>, watch: fn(&T) -> &Stopwatch) -> UnderWay {
        store.epoch_deadline_callback(move |context| {
            let expired = watch(context.data()).expired();
            Ok(if expired { UpdateDeadline::Interrupt } else { UpdateDeadline::Continue(1) })
        });
        store.set_epoch_deadline(1);
        self.runs.lock().under_way += 1;
        self.runs.changed.notify_one();
        UnderWay(Arc::clone(&self.runs))
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.runs.lock().closed = true;
        self.runs.changed.notify_one();
    }
}

/// A run under way: the ticker ticks while there is one.
#[derive(Debug)]
pub(crate) struct UnderWay(Arc<Runs>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.lock().under_way -= 1;
    }
}

fn tick(engine: &EngineWeak, runs: &Runs) {
    let mut state = runs.lock();
    while !state.closed {
        if state.under_way == 0 {
            state = runs.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            continue;
        }
        drop(state);
        std::thread::sleep(TICK);
        let Some(engine) = engine.upgrade() else { return };
        engine.increment_epoch();
        state = runs.lock();
    }
}

/// Measures what the plugin itself has used, and what it may still wait for the product.
#[derive(Debug)]
pub(crate) struct Stopwatch {
    started: Instant,
    waited: Duration,
    plugin_time: Duration,
    product_time: Duration,
}

impl Stopwatch {
    /// A stopwatch that starts now.
    pub(crate) fn start(plugin_time: Duration, product_time: Duration) -> Self {
        Self { started: Instant::now(), waited: Duration::ZERO, plugin_time, product_time }
    }

    /// Since the start, with all waiting.
    pub(crate) fn took(&self) -> Duration {
        self.started.elapsed()
    }

    /// How long the product was waited for.
    pub(crate) fn waited(&self) -> Duration {
        self.waited
    }

    /// Since the start, without the waiting.
    pub(crate) fn plugin_took(&self) -> Duration {
        self.took().saturating_sub(self.waited)
    }

    /// Whether the plugin has used up its own time.
    fn expired(&self) -> bool {
        self.plugin_took() > self.plugin_time
    }

    /// What is left of the time for the product.
    fn patience(&self) -> Duration {
        self.product_time.saturating_sub(self.waited)
    }

    /// Waits for the product by `wait`, which is told how long it may, and takes down how long it did.
    pub(crate) fn waiting<R>(&mut self, wait: impl FnOnce(Duration) -> R) -> R {
        let began = Instant::now();
        let result = wait(self.patience());
        self.waited += began.elapsed();
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::engine::engine;

    #[test]
    fn waiting_for_the_product_is_not_the_plugins_time() {
        let mut watch = Stopwatch::start(Duration::from_secs(3600), Duration::from_millis(5));
        watch.waiting(|patience| {
            assert_eq!(patience, Duration::from_millis(5));
            let began = Instant::now();
            while began.elapsed() < Duration::from_millis(6) {
                std::hint::spin_loop();
            }
        });
        assert!(watch.waited >= Duration::from_millis(6));
        assert!(!watch.expired());
        watch.waiting(|patience| assert_eq!(patience, Duration::ZERO, "the patience is used up"));
        watch.plugin_time = Duration::ZERO;
        assert!(watch.expired());
    }

    #[test]
    fn a_ticker_does_not_keep_its_engine_alive() {
        let engine = engine().expect("an engine");
        let weak = engine.weak();
        let ticker = Ticker::start(&engine).expect("a ticker");
        let mut store = Store::new(&engine, Stopwatch::start(Duration::ZERO, Duration::ZERO));
        let under_way = ticker.begin(&mut store, |watch| watch);
        drop((store, engine));
        // The thread holds the engine for the moment in which it counts.
        while weak.upgrade().is_some() {
            std::thread::yield_now();
        }
        drop((under_way, ticker));
    }
}
