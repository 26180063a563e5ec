//! Exposures as a Prometheus server answers `/api/v1/query` and `/api/v1/query_range`.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::ran::Stretch;
use super::{Exposure, HOSTS, Row};

/// What is wrong with an answer.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum AnswerProblem {
    /// It is not JSON, or not of this form.
    #[error("not what /api/v1/query and /api/v1/query_range answer: {0}")]
    Form(String),
    /// The server says that the query failed.
    #[error("the query failed: {0}")]
    Failed(String),
    /// Numbers without labels, or text.
    #[error("the result is a {0}: expected a vector or a matrix, with a label for the build")]
    Type(String),
    /// A series that names no build.
    #[error("series {at} has none of the labels build_id, build, version and release")]
    NoBuild {
        /// From 1.
        at: usize,
    },
    /// A value that is no exposure.
    #[error("series {at} has the value {value:?}: expected a number that is not negative")]
    Value {
        /// From 1.
        at: usize,
        /// As the server writes it.
        value: String,
    },
    /// A range of one point has no length.
    #[error("series {at} has fewer than two points, so nothing says how long each holds")]
    Step {
        /// From 1.
        at: usize,
    },
    /// Two units.
    #[error("units {unit:?} and {known:?}: rates need one unit (beside hosts)")]
    Units {
        /// Of this series.
        unit: String,
        /// Of those before.
        known: String,
    },
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    status: String,
    data: Option<Data>,
    error_type: Option<String>,
    error: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    result_type: String,
    result: serde_json::Value,
}

#[derive(Deserialize)]
struct Series {
    #[serde(default)]
    metric: BTreeMap<String, String>,
    value: Option<Point>,
    values: Option<Vec<Point>>,
}

/// Seconds since 1970, and a number as text.
#[derive(Deserialize)]
struct Point(f64, String);

/// Labels that name the build, the most exact first.
const NAMES: &[&str] = &["build_id", "build", "version", "release"];
/// Seconds of the unit of a range.
const HOUR: f64 = 3_600.0;

/// The exposures of an answer. The value of a vector is the exposure; of a range, each point
/// is how many ran until the next, and the exposure is their sum over time, in hours.
pub(super) fn parse(text: &str) -> Result<Exposure, AnswerProblem> {
    let wrong = |error: serde_json::Error| AnswerProblem::Form(error.to_string());
    let answer: Answer = serde_json::from_str(text).map_err(wrong)?;
    if answer.status != "success" {
        let parts = [answer.error_type, answer.error];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        return Err(AnswerProblem::Failed(parts.join(": ")));
    }
    let missing = || AnswerProblem::Form("no data".to_owned());
    let data = answer.data.ok_or_else(missing)?;
    if !matches!(data.result_type.as_str(), "vector" | "matrix") {
        return Err(AnswerProblem::Type(data.result_type));
    }
    let all: Vec<Series> = serde_json::from_value(data.result).map_err(wrong)?;
    let range = Range::of(&all);
    let mut exposure = Exposure::default();
    for (at, series) in all.iter().enumerate() {
        add(&mut exposure, series, range.as_ref(), at + 1)?;
    }
    if exposure.unit.is_none() && exposure.of.values().flatten().any(|row| row.is_hosts) {
        exposure.unit = Some(HOSTS.to_owned());
    }
    Ok(exposure)
}

/// The time that the points of all series cover.
struct Range {
    from: f64,
    to: f64,
    step: f64,
}

impl Range {
    /// `None` where no series has two points.
    fn of(all: &[Series]) -> Option<Self> {
        let points = || all.iter().filter_map(|series| series.values.as_deref());
        // A server leaves out what it has no point of: then nothing ran.
        let lengths = points().flat_map(|points| points.windows(2)).filter_map(|pair| match pair {
            [Point(from, _), Point(to, _)] if to > from => Some(to - from),
            _ => None,
        });
        let step = lengths.fold(f64::INFINITY, f64::min);
        let times = || points().flatten().map(|point| point.0).filter(|time| time.is_finite());
        let from = times().fold(f64::INFINITY, f64::min);
        let last = times().fold(f64::NEG_INFINITY, f64::max);
        step.is_finite().then_some(Self { from, to: last + step, step })
    }
}

fn add(
    exposure: &mut Exposure,
    series: &Series,
    range: Option<&Range>,
    at: usize,
) -> Result<(), AnswerProblem> {
    let label = |name: &&str| series.metric.get(*name).filter(|value| !value.is_empty());
    let name = NAMES.iter().find_map(label).ok_or(AnswerProblem::NoBuild { at })?;
    let program = label(&"program").cloned();
    let number = |text: &str| {
        let number = text.parse().ok().filter(|n: &f64| n.is_finite() && *n >= 0.0);
        number.ok_or_else(|| AnswerProblem::Value { at, value: text.to_owned() })
    };
    let unit = label(&"unit").map(|unit| unit.to_ascii_lowercase());
    let (stretch, unit) = match (&series.value, &series.values) {
        (Some(Point(_, value)), None) => (Stretch { amount: number(value)?, period: None }, unit),
        (None, Some(points)) => {
            let range = range.ok_or(AnswerProblem::Step { at })?;
            let mut amount = 0.0;
            for Point(_, value) in points {
                amount += number(value)? * range.step / HOUR;
            }
            let period = Some((range.from as i64, range.to.ceil() as i64));
            (Stretch { amount, period }, Some(unit.unwrap_or_else(|| "hours".to_owned())))
        }
        _ => return Err(AnswerProblem::Form(format!("series {at} has no value"))),
    };
    let is_hosts = unit.as_deref() == Some(HOSTS);
    if let Some(unit) = unit.filter(|_| !is_hosts) {
        let counted = exposure.count_in(&unit);
        counted.map_err(|known| AnswerProblem::Units { unit, known })?;
    }
    exposure.add(name, Row { program, stretch, is_hosts });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(result_type: &str, result: &str) -> String {
        format!(
            r#"{{"status":"success","data":{{"resultType":"{result_type}","result":{result}}}}}"#
        )
    }

    fn amount(exposure: &Exposure, name: &str) -> Option<f64> {
        exposure.of_release("shopd", name, &[]).and_then(|ran| ran.in_all(None))
    }

    #[test]
    fn the_values_of_a_query_are_summed_by_build() {
        let text = answer(
            "vector",
            r#"[{"metric":{"version":"2.1","instance":"a"},"value":[1700000000.5,"30"]},
                {"metric":{"version":"2.1","instance":"b"},"value":[1700000000.5,"12.5"]},
                {"metric":{"version":"2.2","program":"cartd"},"value":[1700000000.5,"9"]}]"#,
        );
        let exposure = parse(&text).unwrap();
        assert_eq!(amount(&exposure, "2.1"), Some(42.5));
        assert_eq!(amount(&exposure, "2.2"), None, "of another program");
        assert_eq!(exposure.unit(), None);
    }

    #[test]
    fn a_range_is_how_many_ran_over_time_in_hours_of_its_period() {
        // Two processes for three hours, with one hour of which there is no point.
        let text = answer(
            "matrix",
            r#"[{"metric":{"version":"2.1"},
                 "values":[[3600,"2"],[7200,"2"],[14400,"2"]]},
                {"metric":{"version":"2.2"},"values":[[14400,"5"]]}]"#,
        );
        let exposure = parse(&text).unwrap();
        let ran = exposure.of_release("shopd", "2.1", &[]).unwrap();
        assert_eq!(ran.in_all(Some((3600, 17_999))), Some(6.0));
        assert_eq!(ran.in_all(Some((3600, 18_000))), None, "a dump after the range");
        assert_eq!((exposure.unit(), amount(&exposure, "2.2")), (Some("hours"), Some(5.0)));
    }

    #[test]
    fn an_answer_of_another_kind_is_refused_with_a_reason() {
        let series = |value: &str| {
            answer("vector", &format!(r#"[{{"metric":{{"version":"1"}},"value":[1,"{value}"]}}]"#))
        };
        for (text, says) in [
            (answer("scalar", r#"[1,"3"]"#), "scalar: expected a vector or a matrix"),
            (answer("string", r#"[1,"x"]"#), "a string"),
            (answer("vector", r#"[{"metric":{"job":"x"},"value":[1,"3"]}]"#), "series 1 has none"),
            (answer("vector", r#"[{"metric":{"version":"1"}}]"#), "no value"),
            (answer("matrix", r#"[{"metric":{"version":"1"},"values":[[1,"3"]]}]"#), "two points"),
            (series("NaN"), "\"NaN\""),
            (series("-1"), "\"-1\""),
            (series("+Inf"), "\"+Inf\""),
            (
                r#"{"status":"error","errorType":"bad_data","error":"parse error"}"#.into(),
                "bad_data: parse error",
            ),
            (r#"{"status":"success"}"#.into(), "no data"),
            ("{".into(), "not what /api/v1/query"),
        ] {
            let problem = parse(&text).unwrap_err().to_string();
            assert!(problem.contains(says), "{text}: {problem}");
        }
    }
}
