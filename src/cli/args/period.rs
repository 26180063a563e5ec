//! `--since`, `--until` and `--now`: the same in every verb that shows crashes.

use clap::Args;
use obit::triage::time::When;
use obit::triage::views::ViewOptions;

use super::store::clock;

/// The period whose crashes are shown.
#[derive(Clone, Copy, Debug, Default, Args)]
pub(crate) struct Period {
    /// Only crashes since then: 24h, 7d, 2026-03-01
    #[arg(long, value_name = "TIME", value_parser = When::parse)]
    pub(crate) since: Option<When>,
    /// Only crashes before then
    #[arg(long, value_name = "TIME", value_parser = When::parse, hide_short_help = true)]
    until: Option<When>,
    /// As of this time: lengths such as 24h count back from it, and later crashes are left
    /// out [default: the current time for lengths, the newest dump for statuses and trends]
    #[arg(long, value_name = "TIME", value_parser = When::parse, hide_short_help = true)]
    now: Option<When>,
}

impl Period {
    /// The time that lengths count back from.
    pub(crate) fn base(&self) -> i64 {
        let clock = clock();
        self.now.map_or(clock, |now| now.seconds(clock))
    }

    /// `options` with this period.
    pub(crate) fn of(&self, options: ViewOptions) -> ViewOptions {
        let base = self.base();
        ViewOptions {
            now: self.now.map(|_| base),
            since: self.since.map(|since| since.seconds(base)),
            until: self.until.map(|until| until.seconds(base)),
            ..options
        }
    }

    /// Whether a crash of this time is in it. One whose time is not known is in no period.
    pub(crate) fn takes(&self, time: Option<i64>) -> bool {
        let options = self.of(ViewOptions::default());
        let has_bound = options.since.is_some() || options.until.is_some();
        time.map_or(!has_bound, |time| options.takes_time(time))
    }
}
