//! shows
use handler::{
    mail::Mail,
    maintenance::{self, json::OutcomeRecord},
};
fn main() {
    for file in std::env::args().skip(1) {
        let bytes = std::fs::read(&file).unwrap();
        let outcome = maintenance::parse(&Mail::decode(&bytes));
        let text = serde_json::to_string_pretty(&OutcomeRecord::from(&outcome)).unwrap();
        if std::env::var("WRITE").is_ok() {
            std::fs::write(std::path::Path::new(&file).with_extension("json"), text.clone() + "\n").unwrap();
        }
        println!("== {file}\n{text}");
    }
}
