//! A change that is told is heard: in every notice of every provider, wherever a sentence of change stands, the reading says
//! the change or goes to a person; a sentence that any notice may hold changes nothing.

mod phrases;

use handler::maintenance::change;

use phrases::{HARMLESS, NEGATED, TOLD};

#[test]
fn every_sentence_is_heard_by_itself() {
    let mut wrong = Vec::new();
    for (told, sentence) in TOLD {
        let statements = change::statements(sentence);
        let is_heard = statements.iter().any(|statement| !statement.is_negated);
        wrong.extend((!is_heard).then(|| format!("{told:?} not heard: {sentence} {statements:?}")));
    }
    for sentence in NEGATED {
        let statements = change::statements(sentence);
        let is_told = statements.iter().any(|statement| !statement.is_negated);
        wrong.extend(is_told.then(|| format!("negated: {sentence} {statements:?}")));
    }
    let harmful = HARMLESS.iter().filter(|sentence| !change::statements(sentence).is_empty());
    wrong.extend(harmful.map(|sentence| format!("harmless: {sentence} {:?}", change::statements(sentence))));
    println!(
        "{} sentences of change, {} negated, {} harmless; {} wrong",
        TOLD.len(),
        NEGATED.len(),
        HARMLESS.len(),
        wrong.len()
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
