//! Events on their way to those who wait for them.
//!
//! Each way of delivery has a queue of its own that is bounded, and threads: one that fails or
//! hangs delays neither the others nor the watch.

#[cfg(feature = "webhook")]
mod chat;
mod digest;
mod mail;
#[cfg(feature = "webhook")]
mod webhook;

use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use obit_triage::views::{CrashEvent, write_event};

pub use digest::Digest;
#[cfg(feature = "webhook")]
pub use webhook::Webhook;

use super::Log;
use super::metrics::Metrics;
use crate::delivery::ProgramSettings;

/// Events that wait for one way of delivery.
const QUEUE: usize = 256;
/// Programs that run at once.
const AT_ONCE: usize = 4;
/// How long the last problems, and the ends of programs that are killed, are waited for.
const FAREWELL: Duration = Duration::from_secs(1);
/// Between two looks whether all is delivered.
const TICK: Duration = Duration::from_millis(10);

/// A way of delivery.
#[derive(Clone, Debug)]
pub enum Delivery {
    /// A program gets the event on its standard input.
    Exec(ProgramSettings),
    /// A server gets it by HTTP.
    #[cfg(feature = "webhook")]
    Webhook(Webhook),
    /// A chat gets a message, as the incoming webhooks of Slack take it.
    #[cfg(feature = "webhook")]
    Chat(Webhook),
    /// A person gets a mail, handed to a program that takes mail as sendmail does.
    Mail {
        /// To whom.
        address: String,
        /// Runs as `sendmail -t -i`.
        sendmail: ProgramSettings,
    },
}

impl Delivery {
    fn name(&self) -> &'static str {
        match self {
            Self::Exec(_) => "exec",
            #[cfg(feature = "webhook")]
            Self::Webhook(_) | Self::Chat(_) => "webhook",
            Self::Mail { .. } => "mail",
        }
    }

    fn threads(&self) -> usize {
        match self {
            Self::Exec(_) => AT_ONCE,
            #[cfg(feature = "webhook")]
            Self::Webhook(_) | Self::Chat(_) => 1,
            Self::Mail { .. } => 1,
        }
    }

    /// Delivers; gives up, and ends a program, when `closing` is set. What the program wrote is
    /// handed to `say`.
    fn deliver(
        &self,
        message: &Message,
        closing: &AtomicBool,
        say: fn(&str),
    ) -> Result<(), String> {
        match self {
            Self::Exec(program) => {
                let ran = program.run(&[], &message.json, closing, say);
                ran.map_err(|error| error.to_string())
            }
            #[cfg(feature = "webhook")]
            Self::Webhook(webhook) => webhook
                .post(&message.event.id, &message.json, closing)
                .map_err(|error| error.to_string()),
            #[cfg(feature = "webhook")]
            Self::Chat(webhook) => {
                let body = chat::message(std::iter::once(mail::in_a_line(&message.event).as_str()));
                let posted = webhook.post(&message.event.id, &body, closing);
                posted.map_err(|error| error.to_string())
            }
            Self::Mail { address, sendmail } => {
                let mail = mail::mail(address, &message.event);
                let ran = sendmail.run(&["-t", "-i"], &mail, closing, say);
                ran.map_err(|error| error.to_string())
            }
        }
    }
}

/// What is delivered.
#[derive(Debug)]
struct Message {
    event: CrashEvent,
    json: Vec<u8>,
}

/// The queues.
#[derive(Debug)]
pub struct Notifier {
    queues: Vec<(&'static str, SyncSender<Arc<Message>>)>,
    /// Events that are not delivered yet, once for each way.
    pending: Arc<AtomicUsize>,
    closing: Arc<AtomicBool>,
    metrics: Arc<Metrics>,
    log: Log,
}

impl Notifier {
    /// Starts the threads of each of `ways`.
    ///
    /// # Errors
    /// When the system starts no thread.
    pub fn start(ways: Vec<Delivery>, metrics: &Arc<Metrics>, log: Log) -> io::Result<Self> {
        let pending = Arc::new(AtomicUsize::new(0));
        let closing = Arc::new(AtomicBool::new(false));
        let mut queues = Vec::new();
        for way in ways {
            let (sender, receiver) = sync_channel(QUEUE);
            let receiver = Arc::new(Mutex::new(receiver));
            queues.push((way.name(), sender));
            for _ in 0..way.threads() {
                let thread = DeliveryThread {
                    way: way.clone(),
                    queue: Arc::clone(&receiver),
                    pending: Arc::clone(&pending),
                    closing: Arc::clone(&closing),
                    metrics: Arc::clone(metrics),
                    log,
                };
                thread::Builder::new().name(way.name().to_owned()).spawn(move || thread.work())?;
            }
        }
        Ok(Self { queues, pending, closing, metrics: Arc::clone(metrics), log })
    }

    /// Hands an event to each way of delivery. One whose queue is full loses it, and that is
    /// reported.
    pub(super) fn send(&self, event: CrashEvent) {
        if self.queues.is_empty() {
            return;
        }
        let mut json = Vec::new();
        if let Err(error) = write_event(&event, &mut json) {
            return (self.log.problem)(&format!("event {} cannot be written: {error}", event.id));
        }
        let message = Arc::new(Message { event, json });
        for (name, queue) in &self.queues {
            self.pending.fetch_add(1, Ordering::SeqCst);
            match queue.try_send(Arc::clone(&message)) {
                Ok(()) => {}
                Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                    self.pending.fetch_sub(1, Ordering::SeqCst);
                    count(&self.metrics, name, "dropped");
                    let id = &message.event.id;
                    (self.log.problem)(&format!("{name}: {QUEUE} events wait; {id} is dropped"));
                }
            }
        }
    }

    /// Waits until all is delivered, but not longer than `patience`; then programs are killed, and
    /// what fails is reported and not tried again. Gives how many were not delivered.
    pub fn finish(&self, patience: Duration) -> usize {
        let undelivered = self.wait(patience);
        if undelivered > 0 {
            self.closing.store(true, Ordering::SeqCst);
            self.wait(FAREWELL);
        }
        undelivered
    }

    /// Waits until nothing is pending, but not longer than `patience`. Gives how much is.
    fn wait(&self, patience: Duration) -> usize {
        let end = Instant::now() + patience;
        loop {
            let pending = self.pending.load(Ordering::SeqCst);
            if pending == 0 || Instant::now() >= end {
                return pending;
            }
            thread::sleep(TICK);
        }
    }
}

fn count(metrics: &Metrics, by: &'static str, result: &'static str) {
    metrics.change(|numbers| *numbers.notifications.entry((by, result)).or_default() += 1);
}

/// One of the threads of a way of delivery.
struct DeliveryThread {
    way: Delivery,
    queue: Arc<Mutex<Receiver<Arc<Message>>>>,
    pending: Arc<AtomicUsize>,
    closing: Arc<AtomicBool>,
    metrics: Arc<Metrics>,
    log: Log,
}

impl DeliveryThread {
    fn work(&self) {
        let name = self.way.name();
        loop {
            let message = self.queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
            let Ok(message) = message else { return };
            if self.closing.load(Ordering::SeqCst) {
                // What waits is counted by `Notifier::finish`.
                count(&self.metrics, name, "dropped");
                self.pending.fetch_sub(1, Ordering::SeqCst);
                continue;
            }
            match self.way.deliver(&message, &self.closing, self.log.problem) {
                Ok(()) => count(&self.metrics, name, "delivered"),
                Err(problem) => {
                    count(&self.metrics, name, "failed");
                    (self.log.problem)(&format!("{name}: {}: {problem}", message.event.id));
                }
            }
            self.pending.fetch_sub(1, Ordering::SeqCst);
        }
    }
}
