//! Tests what happens to a mail if the log cannot be written.

use runtime::log::{Metric, Unit};

use super::*;

#[test]
fn a_log_that_cannot_be_written_is_no_success() {
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::Error::other("no space left"))
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let log = Arc::new(Log::new(&Context::default(), Full));
    let pipeline = pipeline(stored(&[("second/m", ORDER)]), Noting::new(WHOLE, Ok(())), log);
    let error = run(pipeline.handle("request", &event(&[record_of("m", "", ORDER)]))).unwrap_err();
    assert!(error.to_string().contains("no space left"), "{error}");
}

#[test]
fn a_report_too_long_for_the_log_is_cut_and_still_counted() {
    let written = Written::default();
    let (whole, _) = one(PLANNED, "", &Noting::new(WHOLE, Ok(())), carriers::parse);
    let Report::Item(mut report) = serde_json::from_value(whole).unwrap() else { panic!("no report of a mail") };
    let one = report.details["maintenances"][0].clone();
    report.details.insert("maintenances".to_owned(), Value::Array(vec![one; 2000]));
    let counted = Metric { name: "Maintenances", unit: Unit::Count, value: 2000.0 };
    log(&written).item(*report, &[counted]).unwrap();
    let line = &written.lines()[0];
    assert_eq!((&line["details"], &line["Maintenances"], &line["class"]), (&json!({}), &json!(2000), &json!("done")));
    assert_eq!(line["reason"], "the details are too long for the log");
}
