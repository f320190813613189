//! Ids that carriers give to maintenances, circuits and accounts. A placeholder in such a field (`N/A`, `_`, `see attached`)
//! is not an id, and no [`Identifier`] can be made of it, whichever reader found it.

/// Letters with diacritics in our carriers' languages, and the plain letter.
const MARKED: &[(char, &str)] = &[
    ('a', "áàâãäåā"),
    ('c', "çćč"),
    ('e', "éèêëē"),
    ('g', "ğ"),
    ('i', "íìîïıī"),
    ('n', "ñń"),
    ('o', "óòôõöøō"),
    ('s', "şšś"),
    ('u', "úùûüū"),
];

/// Placeholders for a missing value, as [`squeeze`] writes them: English, Dutch, German, Spanish, Portuguese, Italian,
/// Turkish and French.
#[rustfmt::skip]
const PLACEHOLDERS: &[&str] = &[
    "na", "none", "null", "nil", "nan", "nothing", "tbd", "tba", "tbc", "tbn", "unknown", "undefined", "unspecified",
    "unassigned", "notapplicable", "notavailable", "notassigned", "notspecified", "notknown", "notprovided", "notyetknown",
    "unavailable", "tobedetermined", "tobedefined", "tobeannounced", "tobeconfirmed", "tobeadvised", "tobeprovided",
    "tofollow", "attached", "attachment", "asattached", "seeattached", "seebelow", "seeabove", "pending", "blank", "empty",
    "various", "multiple", "several",
    "nvt", "ntb", "nnb", "geen", "onbekend", "nogonbekend", "niettoepasselijk", "nietvantoepassing", "nietbekend",
    "nietbeschikbaar", "nogtebepalen", "nadertebepalen", "bijlage", "ziebijlage", "volgt", "diverse",
    "ka", "kein", "keine", "keiner", "keines", "keineangabe", "keineangaben", "unbekannt", "entfallt", "nichtbekannt",
    "nichtverfugbar", "nichtzutreffend", "nochoffen", "offen", "folgt", "anbei", "anhang", "wirdnochbekanntgegeben", "leer",
    "ninguno", "ninguna", "nada", "desconocido", "desconocida", "noaplica", "nodisponible", "pordefinir", "porconfirmar",
    "pordeterminar", "adefinir", "aconfirmar", "pendiente", "sindatos", "sd", "nd", "adjunto", "veradjunto", "varios",
    "nenhum", "nenhuma", "desconhecido", "desconhecida", "naoaplicavel", "naoseaplica", "naodisponivel", "indisponivel",
    "pendente", "emanexo", "veranexo", "videanexo", "anexo",
    "nessuno", "nessuna", "sconosciuto", "sconosciuta", "ignoto", "nonapplicabile", "nondisponibile", "dadefinire",
    "daconfermare", "dadeterminare", "inallegato", "allegato", "vediallegato", "vari",
    "yok", "bilinmiyor", "belirsiz", "belirlenecek", "belirtilmemis", "uygulanamaz", "mevcutdegil", "ekte", "ektedir",
    "ekebakiniz",
    "aucun", "aucune", "inconnu", "inconnue", "neant", "sansobjet", "nondisponible", "nonapplicable", "adeterminer",
    "aconfirmer", "apreciser", "cijoint", "voircijoint", "voirpiecejointe", "piecejointe",
];

/// Words at the beginning of a field that send the reader elsewhere: "see attached list".
const ELSEWHERE: &[&str] = &[
    "see",
    "please see",
    "refer to",
    "please refer",
    "as per",
    "listed",
    "zie",
    "siehe",
    "ver",
    "veja",
    "vease",
    "consulte",
    "vide",
    "vedi",
    "vedere",
    "voir",
    "cf",
    "bkz",
];

/// An id as the carrier wrote it: neither blank nor a placeholder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identifier(String);

impl Identifier {
    /// Returns the id; `None` if the text is blank or a placeholder. An id has no line breaks: where one occurs, a relay has
    /// broken a long line at a blank.
    ///
    /// ```
    /// use contract::identifier::Identifier;
    ///
    /// let id = Identifier::new("CHG-1\n 2031");
    /// assert_eq!(id.as_ref().map(Identifier::as_str), Some("CHG-1 2031"));
    /// assert!(Identifier::new("N/A").is_none());
    /// ```
    pub fn new(text: &str) -> Option<Self> {
        if is_placeholder(text) {
            return None;
        }
        if !text.contains('\n') {
            return Some(Self(text.trim().to_owned()));
        }
        let lines: Vec<_> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        Some(Self(lines.join(" ")))
    }

    /// Returns the id as a text of its own.
    pub(crate) fn into_string(self) -> String {
        self.0
    }

    /// Returns the id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Returns whether a field holds no value: it is blank, punctuation only, or a placeholder.
pub fn is_placeholder(text: &str) -> bool {
    // Ids are short and nearly all contain a digit; placeholders and words that point elsewhere contain none.
    if text.bytes().any(|byte| byte.is_ascii_digit()) {
        return false;
    }
    let words: Vec<String> = text.split_whitespace().map(squeeze).filter(|word| !word.is_empty()).collect();
    let whole = words.concat();
    let is_empty_word = |word: &str| PLACEHOLDERS.contains(&word) || word.bytes().all(|byte| byte == b'x');
    if is_empty_word(&whole) || words.iter().all(|word| is_empty_word(word)) {
        return true;
    }
    // "N/A,N/A" is a list of placeholders; "Unknown at this time" begins with one.
    let parts =
        || text.split([',', ';', '|', '&', '+', '/', '(', ')', ':']).map(squeeze).filter(|part| !part.is_empty());
    let begins = |word: &String| word.len() > 2 && PLACEHOLDERS.contains(&word.as_str());
    let spoken = words.join(" ");
    let points = |start: &&str| spoken.strip_prefix(*start).is_some_and(|rest| rest.starts_with(' '));
    parts().all(|part| is_empty_word(&part))
        || words.len() > 1 && words.first().is_some_and(begins)
        || ELSEWHERE.iter().any(points)
}

/// Returns the letters and digits of a text, in lower case and without marks.
fn squeeze(text: &str) -> String {
    let lower = text.chars().flat_map(char::to_lowercase).filter(|letter| letter.is_alphanumeric());
    lower
        .map(|letter| MARKED.iter().find(|(_, marked)| marked.contains(letter)).map_or(letter, |(plain, _)| *plain))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_name_nothing() {
        for text in [
            "",
            " ",
            "_",
            "-",
            "--",
            "…",
            "...",
            "?",
            "N/A",
            "n.a.",
            "NA",
            "(none)",
            "None",
            "TBD",
            "tba",
            "x",
            "XXX",
            "x-x",
            "Unknown",
            "unknown at this time",
            "see attached",
            "See attached list",
            "please see attachment",
            "N/A, N/A",
            "N/A / -",
            "not available",
            "To be confirmed",
            "TBD (soon)",
            "n.v.t.",
            "zie bijlage",
            "Onbekend",
            "k. A.",
            "siehe Anhang",
            "entfällt",
            "ninguno",
            "ver adjunto",
            "por definir",
            "não aplicável",
            "vide anexo",
            "nessuna",
            "vedi allegato",
            "YOK",
            "BİLİNMİYOR",
            "eke bakınız",
            "aucun",
            "voir pièce jointe",
            "à déterminer",
            "*",
            "\n-\n",
        ] {
            assert!(is_placeholder(text), "{text:?}");
            assert_eq!(Identifier::new(text), None);
        }
    }

    #[test]
    fn ids_are_kept_as_they_are_written() {
        for text in [
            "TBD-17",
            "EX/10G/1",
            "X1",
            "NA-4471",
            "circuit-a",
            "ACME CORP",
            "Seemann AG",
            "All Nippon",
            "NONEX",
            "Verizon",
            "X Corp",
            "Example Networks",
            "_EX_",
            "Zielona Telecom",
            "NA Telecom",
            "1",
            "EX  7",
            "/OGYX/551200/ /ZYO /",
        ] {
            assert_eq!(Identifier::new(text).as_ref().map(Identifier::as_str), Some(text));
        }
        assert_eq!(Identifier::new("EX\n 7\n").as_ref().map(Identifier::as_str), Some("EX 7"));
    }
}
