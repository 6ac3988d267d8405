use proptest::prelude::*;

use super::*;

const TODAY: i32 = 20_000;

/// Days up to today, of so many counts.
fn series(counts: &[u64]) -> Vec<DayCount> {
    let first = TODAY + 1 - i32::try_from(counts.len()).expect("a short series");
    (first..).zip(counts).map(|(day, count)| DayCount { day, count: *count }).collect()
}

fn made(days: &[DayCount], limit: Option<u64>) -> Outlook {
    match forecast(days, limit, TODAY) {
        Forecast::Made(outlook) => *outlook,
        other => panic!("a forecast is made: {other:?}"),
    }
}

#[test]
fn b11_a_forecast_names_its_method_and_its_error() {
    let counts: Vec<u64> = (0..90).map(|n| 400 + n).collect();
    let outlook = made(&series(&counts), Some(500));
    assert_eq!((outlook.method, outlook.confidence_percent), (METHOD, 90));
    assert_eq!((outlook.days_used, outlook.last_day, outlook.first_day), (90, TODAY, TODAY - 89));
    // 489 today, one more each day: 501 in twelve days.
    assert!(
        matches!(outlook.passing, Passing::Foreseen { earliest, likely: Some(likely), latest: Some(latest) }
            if likely == TODAY + 12 && (TODAY + 10..=likely).contains(&earliest) && (likely..=TODAY + 14).contains(&latest)),
        "{:?}",
        outlook.passing
    );
    assert!((outlook.growth_in_30_days.likely - 30.0).abs() < 0.01, "{:?}", outlook.growth_in_30_days);
}

#[test]
fn b11_too_little_data_is_said() {
    let short: Vec<u64> = (0..13).collect();
    assert!(matches!(forecast(&series(&short), None, TODAY), Forecast::NotEnough { days: 13, days_needed: 14, .. }));
    let dense: Vec<u64> = (0..15).collect();
    assert!(matches!(forecast(&series(&dense), None, TODAY), Forecast::NotEnough { span: 14, span_needed: 20, .. }));
    assert!(matches!(forecast(&[], Some(1), TODAY), Forecast::NotEnough { days: 0, .. }));
    let old: Vec<u64> = (0..90).collect();
    assert_eq!(forecast(&series(&old), None, TODAY + 31), Forecast::Outdated { days: 31 });
}

#[test]
fn b11_a_count_that_stands_still_passes_no_limit() {
    let still = series(&[420; 60]);
    assert_eq!(made(&still, Some(500)).passing, Passing::NotForeseen { within_days: 118 });
    assert_eq!(made(&still, Some(419)).passing, Passing::Passed);
    assert_eq!(made(&still, None).passing, Passing::NoLimit);
}

#[test]
fn b11_after_a_silence_no_day_is_foreseen_that_is_over() {
    let counts: Vec<u64> = (0..90).map(|n| 400 + n).collect();
    let days = series(&counts);
    let later = |days_later, limit| match forecast(&days, Some(limit), TODAY + days_later) {
        Forecast::Made(outlook) => outlook.passing,
        other => panic!("a forecast is made: {other:?}"),
    };
    // 489 at the last count, one more each day: 501 in twelve days, which were twenty days ago.
    let silent = later(20, 500);
    assert!(
        matches!(silent, Passing::Foreseen { earliest, likely: Some(likely), .. }
            if (earliest, likely) == (TODAY + 20, TODAY + 20)),
        "{silent:?}"
    );
    assert_eq!(later(20, 5000), Passing::NotForeseen { within_days: 178 - 19 }, "counted from today on");
}

#[test]
fn b11_one_wrong_count_does_not_move_the_growth() {
    let mut counts: Vec<u64> = (0..60).map(|n| 400 + 2 * n).collect();
    counts[30] = 90_000;
    let growth = made(&series(&counts), None).growth_in_30_days;
    assert!((growth.likely - 60.0).abs() < 1.0, "{growth:?}");
}

#[test]
fn b11_the_pattern_of_the_week_is_found_and_goes_on() {
    // Fewer on two days of each week.
    let counts: Vec<u64> = (0..56).map(|n| if n % 7 < 2 { 300 } else { 500 }).collect();
    let outlook = made(&series(&counts), Some(550));
    assert!(outlook.weekly_pattern);
    assert_eq!(outlook.passing, Passing::NotForeseen { within_days: 110 });
    let week: Vec<f64> = outlook.days[..7].iter().map(|day| day.count.likely.round()).collect();
    assert_eq!(week, [300.0, 300.0, 500.0, 500.0, 500.0, 500.0, 500.0]);
}

/// Randomness that is the same in every run: the generator of Knuth's MMIX.
struct Dice(u64);

impl Dice {
    /// From 0 to 1.
    fn even(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Nearly normal, with variance 1.
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.even()).sum::<f64>() - 6.0
    }
}

/// How a count goes on: the next one, from the one before and its number.
type Kind = fn(&mut Dice, f64, usize) -> f64;

/// Counts as products have them. The first value is what stays, the count shows it as the second says.
const KINDS: [(&str, Kind, Kind); 5] = [
    ("steady growth, noisy counts", |_, level, _| level + 0.8, |dice, level, _| level + 6.0 * dice.normal()),
    ("people come and go", |dice, level, _| level + 0.4 + 2.5 * dice.normal(), |_, level, _| level),
    ("both", |dice, level, _| level + 0.4 + 1.5 * dice.normal(), |dice, level, _| level + 5.0 * dice.normal()),
    (
        "weekends",
        |dice, level, _| level + 0.5 + dice.normal(),
        |dice, level, n| level * if n % 7 < 2 { 0.6 } else { 1.0 } + 3.0 * dice.normal(),
    ),
    (
        "teams join now and then",
        |dice, level, _| if dice.even() < 0.06 { level + 5.0 + 20.0 * dice.even() } else { level },
        |_, level, _| level,
    ),
];

/// In how many of a hundred cases the count lies in the band, so many days ahead, and how wide the band is at the
/// middle.
fn coverage(kind: usize, days: usize, ahead: usize, lost: f64) -> (f64, f64) {
    let (_, stays, shows) = KINDS[kind];
    let (mut inside, mut widths) = (0, Vec::new());
    let cases: u64 = 300;
    for case in 1..=cases {
        let mut dice = Dice(case * 7919);
        let mut level = 600.0;
        let mut counts = Vec::new();
        for n in 0..days + ahead {
            level = stays(&mut dice, level, n);
            counts.push(shows(&mut dice, level, n).max(0.0).round() as u64);
        }
        let mut seen = series(&counts[..days]);
        seen.retain(|day| day.day == TODAY || dice.even() >= lost);
        let outlook = made(&seen, None);
        let band = outlook.days[ahead - 1].count;
        inside += u64::from((band.low..=band.high).contains(&(counts[days + ahead - 1] as f64)));
        widths.push(band.high - band.low);
    }
    widths.sort_by(f64::total_cmp);
    (inside as f64 * 100.0 / cases as f64, widths[widths.len() / 2])
}

#[test]
fn b11_the_band_holds_what_it_promises() {
    let mut all = Vec::new();
    for (kind, (name, ..)) in KINDS.iter().enumerate() {
        for (days, ahead, lost) in [(35, 14, 0.0), (90, 14, 0.0), (90, 60, 0.3), (180, 90, 0.1)] {
            let (inside, width) = coverage(kind, days, ahead, lost);
            println!("{name}: {days} days back, {ahead} ahead, {lost} lost: {inside:.0} % inside, width {width:.0}");
            assert!(
                inside >= 82.0,
                "{name}, {days} days back, {ahead} ahead: {inside} % of the counts are in the band"
            );
            all.push(inside);
        }
    }
    let mean = all.iter().sum::<f64>() / all.len() as f64;
    println!("mean: {mean:.1} %");
    assert!((88.0..=97.0).contains(&mean), "a band of 90 per cent holds {mean} per cent");
}

#[test]
fn b11_the_band_is_no_wider_than_the_counts_give_cause() {
    // Noise of 6 around a line: fourteen days ahead a band of 90 per cent is about 20 wide at best.
    let (_, width) = coverage(0, 90, 14, 0.0);
    assert!((18.0..40.0).contains(&width), "{width}");
}

proptest! {
    #[test]
    fn b11_a_known_growth_is_found(start in 0u64..100_000, growth in 0u64..50, noise in prop::collection::vec(0u64..5, 60)) {
        let counts: Vec<u64> = (0..).zip(&noise).map(|(n, noise)| start + growth * n + noise).collect();
        let outlook = made(&series(&counts), None);
        let found = outlook.growth_in_30_days.likely;
        prop_assert!((found - 30.0 * growth as f64).abs() < 5.0, "{found} instead of {}", 30 * growth);
    }

    #[test]
    fn b11_a_higher_limit_is_never_passed_earlier(
        counts in prop::collection::vec(0u64..2000, 30..120),
        limit in 0u64..3000,
        more in 0u64..500,
    ) {
        // A limit that is not foreseen to be passed is passed later than all that are.
        let when = |limit| match made(&series(&counts), Some(limit)).passing {
            Passing::Passed => [i32::MIN; 3],
            Passing::Foreseen { earliest, likely, latest } =>
                [earliest, likely.unwrap_or(i32::MAX), latest.unwrap_or(i32::MAX)],
            Passing::NotForeseen { .. } => [i32::MAX; 3],
            Passing::NoLimit => unreachable!("there is a limit"),
        };
        let (lower, higher) = (when(limit), when(limit + more));
        prop_assert!(lower.is_sorted(), "earliest, likely and latest are in order: {lower:?}");
        prop_assert!(lower.iter().zip(&higher).all(|(lower, higher)| lower <= higher), "{lower:?} {higher:?}");
    }

    #[test]
    fn b11_the_order_of_the_days_does_not_matter(counts in prop::collection::vec(0u64..2000, 30..60)) {
        let days = series(&counts);
        let reversed: Vec<DayCount> = days.iter().rev().copied().collect();
        prop_assert_eq!(forecast(&days, Some(1500), TODAY), forecast(&reversed, Some(1500), TODAY));
    }

    #[test]
    fn b11_values_of_any_size_are_answered(
        days in prop::collection::vec((any::<i32>(), any::<u64>()), 0..80),
        recent in prop::collection::vec((TODAY - 200..TODAY + 5, any::<u64>()), 0..80),
        limit in any::<Option<u64>>(),
        today in prop_oneof![Just(TODAY), any::<i32>()],
    ) {
        let days: Vec<DayCount> =
            days.into_iter().chain(recent).map(|(day, count)| DayCount { day, count }).collect();
        if let Forecast::Made(outlook) = forecast(&days, limit, today) {
            for ahead in &outlook.days {
                let Band { low, likely, high } = ahead.count;
                prop_assert!(0.0 <= low && low <= likely && likely <= high && high.is_finite(), "{ahead:?}");
            }
        }
    }
}
