//! Tasks of tokio in all the states and at all the awaits that `obit tasks` knows. A comment
//! `at: NAME` marks the line where the task NAME waits.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures::stream::{FuturesUnordered, StreamExt};
use tokio::sync::{Mutex, Notify, RwLock, Semaphore, broadcast, mpsc, oneshot, watch};
use tokio::task::{JoinHandle, JoinSet};

async fn inner(lock: Arc<Mutex<u32>>) -> u32 {
    let value = lock.lock().await; // at: inner
    *value
}

async fn middle(lock: Arc<Mutex<u32>>) -> u32 {
    inner(lock).await // at: middle
}

fn boxed(depth: u32) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(async move {
        if depth > 0 {
            boxed(depth - 1).await; // at: boxed
        } else {
            std::future::pending::<()>().await; // at: pending
        }
    })
}

async fn receives(mut channel: mpsc::Receiver<u8>) {
    channel.recv().await; // at: receive
}

async fn receives_unbounded(mut channel: mpsc::UnboundedReceiver<u8>) {
    channel.recv().await; // at: receive unbounded
}

async fn sends(channel: mpsc::Sender<u8>) {
    channel.send(1).await.ok();
    channel.send(2).await.ok(); // at: send
}

async fn once(channel: oneshot::Receiver<u8>) {
    channel.await.ok(); // at: oneshot
}

async fn sleeps(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await; // at: sleep
}

async fn ticks() {
    let mut interval = tokio::time::interval(Duration::from_secs(500));
    loop {
        interval.tick().await; // at: tick
    }
}

async fn notified(notify: Arc<Notify>) {
    notify.notified().await; // at: notify
}

async fn acquires(semaphore: Arc<Semaphore>) {
    let _permit = semaphore.acquire().await; // at: semaphore
}

async fn reads(lock: Arc<RwLock<u32>>) {
    let _value = lock.read().await; // at: rwlock
}

async fn accepts() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.accept().await.ok(); // at: accept
}

async fn broadcast(mut channel: broadcast::Receiver<u8>) {
    channel.recv().await.ok(); // at: broadcast
}

async fn watches(mut channel: watch::Receiver<u8>) {
    channel.changed().await.ok(); // at: watch
}

async fn times_out(notify: Arc<Notify>) {
    tokio::time::timeout(Duration::from_secs(700), notify.notified()).await.ok(); // at: timeout
}

async fn selects(notify: Arc<Notify>, channel: mpsc::Receiver<u8>) {
    tokio::select! { // at: select
        _ = notify.notified() => {}
        _ = receives(channel) => {}
    }
}

async fn joins(notify: Arc<Notify>) {
    tokio::join!(sleeps(900), notified(notify)); // at: join
}

async fn unordered(notify: Arc<Notify>) {
    let mut all: FuturesUnordered<_> = (0..3).map(|_| notified(notify.clone())).collect();
    all.next().await; // at: unordered
}

async fn set() {
    let mut all = JoinSet::new();
    for _ in 0..3 {
        all.spawn(sleeps(1000));
    }
    all.join_next().await; // at: join set
}

async fn awaits(handle: oneshot::Receiver<JoinHandle<()>>) {
    let handle = handle.await.unwrap();
    handle.await.ok(); // at: handle
}

async fn panics() {
    panic!("planted {}", 1);
}

async fn local(semaphore: Arc<Semaphore>) {
    let _permit = semaphore.acquire().await; // at: local
}

async fn start(sizes: u32) -> (Arc<Semaphore>, Vec<Box<dyn std::any::Any>>) {
    let mut keep: Vec<Box<dyn std::any::Any>> = Vec::new();
    let (lock, shared) = (Arc::new(Mutex::new(5)), Arc::new(RwLock::new(6)));
    keep.push(Box::new(lock.clone().lock_owned().await));
    keep.push(Box::new(shared.clone().write_owned().await));
    let (notify, semaphore) = (Arc::new(Notify::new()), Arc::new(Semaphore::new(0)));
    for _ in 0..sizes {
        tokio::spawn(middle(lock.clone()));
    }
    tokio::spawn(boxed(3));
    let (sender, receiver) = mpsc::channel(1);
    tokio::spawn(receives(receiver));
    keep.push(Box::new(sender));
    let (sender, receiver) = mpsc::unbounded_channel();
    tokio::spawn(receives_unbounded(receiver));
    keep.push(Box::new(sender));
    let (sender, receiver) = mpsc::channel(1);
    tokio::spawn(sends(sender));
    keep.push(Box::new(receiver));
    let (sender, receiver) = oneshot::channel();
    tokio::spawn(once(receiver));
    keep.push(Box::new(sender));
    tokio::spawn(sleeps(300));
    tokio::spawn(ticks());
    tokio::spawn(notified(notify.clone()));
    tokio::spawn(acquires(semaphore.clone()));
    tokio::spawn(reads(shared.clone()));
    tokio::spawn(accepts());
    let (sender, receiver) = broadcast::channel(1);
    tokio::spawn(broadcast(receiver));
    keep.push(Box::new(sender));
    let (sender, receiver) = watch::channel(0);
    tokio::spawn(watches(receiver));
    keep.push(Box::new(sender));
    tokio::spawn(times_out(notify.clone()));
    let (sender, receiver) = mpsc::channel(1);
    tokio::spawn(selects(notify.clone(), receiver));
    keep.push(Box::new(sender));
    tokio::spawn(joins(notify.clone()));
    tokio::spawn(unordered(notify.clone()));
    tokio::spawn(set());
    // Two that await each other.
    let ((to_first, of_first), (to_second, of_second)) = (oneshot::channel(), oneshot::channel());
    let (first, second) = (tokio::spawn(awaits(of_first)), tokio::spawn(awaits(of_second)));
    to_first.send(second).ok();
    to_second.send(first).ok();
    (semaphore, keep)
}

async fn run(sizes: u32) {
    let (semaphore, keep) = start(sizes).await;
    let tasks = tokio::task::LocalSet::new();
    tasks.spawn_local(local(semaphore.clone()));
    let panicked = tokio::spawn(panics());
    tokio::task::spawn_blocking(|| std::thread::sleep(Duration::from_secs(1000)));
    tasks.run_until(tokio::time::sleep(Duration::from_millis(300))).await;
    std::thread::spawn(|| {
        std::thread::sleep(Duration::from_millis(200));
        std::process::abort();
    });
    tasks.run_until(std::future::pending::<()>()).await; // at: main
    drop((keep, panicked));
}

fn main() {
    let sizes = std::env::args().nth(2).and_then(|it| it.parse().ok()).unwrap_or(2);
    let mut builder = match std::env::args().nth(1).as_deref() {
        Some("current") => tokio::runtime::Builder::new_current_thread(),
        _ => tokio::runtime::Builder::new_multi_thread(),
    };
    builder.enable_all().build().unwrap().block_on(run(sizes));
}
