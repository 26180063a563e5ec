//! Work that is divided among the processors.

use std::panic;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{Builder, available_parallelism, scope};

/// Threads that take part.
const MAX_THREADS: usize = 8;

/// What `work` makes of each number below `count`, in their order, whichever thread did it.
/// Each thread has a state of its own, from `start`. A panic of one is one of the caller.
///
/// With one processor, or one piece of work, no thread is started.
pub fn map<S, T: Send>(
    count: usize,
    start: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, usize) -> T + Sync,
) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let run = || {
        let (mut state, mut done) = (start(), Vec::new());
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= count {
                return done;
            }
            done.push((number, work(&mut state, number)));
        }
    };
    // To ask how many processors there are reads files of the control group.
    let wanted = match count {
        0 | 1 => 1,
        _ => available_parallelism().map_or(1, usize::from).min(MAX_THREADS).min(count),
    };
    let mut done = scope(|scope| {
        // A thread that cannot be had is done without.
        let threads: Vec<_> =
            (1..wanted).map_while(|_| Builder::new().spawn_scoped(scope, run).ok()).collect();
        let mut done = run();
        for thread in threads {
            done.extend(thread.join().unwrap_or_else(|why| panic::resume_unwind(why)));
        }
        done
    });
    done.sort_unstable_by_key(|piece| piece.0);
    done.into_iter().map(|piece| piece.1).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_in_the_order_of_the_work() {
        let squares = map(1000, || (), |(), number| number * number);
        assert!(squares.iter().enumerate().all(|(number, square)| *square == number * number));
        assert_eq!(squares.len(), 1000);
        assert!(map(0, || (), |(), number| number).is_empty());
    }

    #[test]
    #[should_panic(expected = "number 500")]
    fn a_panic_of_one_thread_is_not_lost() {
        map(1000, || (), |(), number| assert!(number != 500, "number {number}"));
    }
}
