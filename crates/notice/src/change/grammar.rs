//! The words around a word of change: who it is said of, and whether it has happened, may happen, or did not.
//!
//! All languages share the tables. Most words count only in the verb group of a word of change, or before it; a list of others says
//! where they count. In lists of word beginnings an entry of up to four letters is a whole word or its plural, as
//! [`begins`](super::phrases::begins) reads them: `work` is no beginning of "workers".

use super::list::List;

/// Phrases for what is possible and has not happened, "may be cancelled": before a verb of change, or anywhere in the clause of a noun.
///
/// `ca` is the rest of "can't", whose negation is a word of its own. "Subject" alone means the title: "the subject maintenance".
pub(super) const POSSIBLE: &List = &List::of(&[
    "may", "might", "can", "ca", "could", "possibly", "potentially", "perhaps", "maybe", "subject to", "kann",
    "konnen", "konnte", "konnten", "koennen", "koennte", "koennten", "moglicherweise", "eventuell", "kan", "kunnen",
    "kon", "konden", "mogelijk", "eventueel", "puede", "pueden", "podria", "podrian", "podra", "podran", "pudiera",
    "pudieran", "posiblemente", "pode", "podem", "podera", "poderao", "poderia", "poderiam", "possa", "possam", "puo",
    "possono", "potrebbe", "potrebbero", "potra", "potranno", "possano", "peut", "peuvent", "pourrait", "pourraient",
    "pourra", "pourront", "eventuellement", "olabilir",
]);

/// Helping words of the future in a verb group: an event that is still to be completed, or begun, is a plan.
///
/// `wo` is the rest of "won't", whose negation is a word of its own.
pub(super) const AHEAD: &List = &List::of(&[
    "will", "shall", "should", "would", "wo", "must", "to", "ought", "need", "needs", "expected", "planned",
    "scheduled", "due", "likely", "estimated", "anticipated", "supposed", "yet", "wird", "werden", "muss", "mussen",
    "soll", "sollen", "sollte", "sollten", "voraussichtlich", "zal", "zullen", "moet", "moeten", "wordt", "sera",
    "seran", "serao", "debe", "deben", "debera", "deberan", "va", "vai", "vao", "ira", "irao", "deve", "devem",
    "devera", "deverao", "devono", "dovra", "dovranno", "verra", "verranno", "sara", "saranno", "seront", "doit",
    "doivent", "devra", "devront", "devrait", "ser", "essere", "etre", "sea", "sean", "seja", "sejam", "venga",
    "vengano", "soit", "soient", "estara", "estaran",
]);

/// Verbs that announce a noun of change for later, anywhere in its clause: "you will receive a notice of completion".
pub(super) const WILL: &List = &List::of(&[
    "will", "shall", "werden", "wird", "zullen", "zal", "sera", "seran", "serao", "sara", "saranno", "serez", "serons",
    "seront", "recevrez", "recibira", "recibiran", "recibiras", "recebera", "receberao", "ricevera", "riceverete",
    "informaremos", "informeremo",
]);

/// Helping words of the past: "after it was completed".
pub(super) const PAST: &List = &List::of(&[
    "was", "were", "had", "wurde", "wurden", "war", "waren", "werd", "fue", "fueron", "foi", "foram", "fut", "furent",
]);

/// Helping words of the perfect.
pub(super) const PERFECT: &List = &List::of(&["ist", "sind", "hat", "haben", "worden", "is", "zijn", "heeft", "hebben"]);

/// Words that negate a verb group.
pub(super) const NOT: &List = &List::of(&[
    "not", "never", "neither", "nor", "no", "nicht", "nie", "niemals", "weder", "niet", "nooit", "nunca", "nao", "non",
    "pas", "jamais", "degil", "unable", "without",
]);

/// Preconditions of work, as word beginnings: permits and consents.
pub(super) const CONSENT: &List = &List::of(&[
    "permit", "permission", "approval", "consent", "clearance", "agreement", "authorisation", "authorization",
    "genehmigung", "freigabe", "zustimmung", "vergunning", "goedkeuring", "toestemming", "permiso", "aprobacion",
    "autorizacion", "aprovacao", "autorizacao", "permesso", "autorizzazione", "approvazione", "autorisation", "accord",
    "izin", "onay",
]);

/// Orders not to read a notice, as word beginnings. They say nothing of the maintenance where a condition follows: "ignore this mail
/// if it is not meant for you".
pub(super) const ORDERS_TO_IGNORE: &List =
    &List::of(&["disregard", "ignor", "negeer", "negeren", "omiso", "desconsider", "compte", "considerare", "dikkate"]);

/// Words that stand for the notice itself: "the below is not valid".
pub(super) const POINTERS: &List = &List::of(&["below", "above", "following", "abovementioned", "aforementioned"]);

/// Labels whose value is said of the maintenance.
pub(super) const LABELS: &List =
    &List::of(&["status", "state", "phase", "stage", "outcome", "result", "resolution", "closure", "disposition", "decision"]);

/// Words that may stand between a verb and its participle.
pub(super) const HELPERS: &List = &List::of(&[
    "be", "been", "being", "is", "are", "am", "was", "were", "has", "have", "had", "having", "do", "does", "did", "get",
    "gets", "got", "getting", "now", "already", "also", "since", "just", "therefore", "thus", "hereby", "hence",
    "again", "still", "indeed", "both", "all", "as", "of", "so", "far", "stands", "stand", "remains",
    "remain", "yet", "either", "then", "soon", "even", "ever", "longer", "going", "only", "half", "partially", "partly",
    "regrettably", "always", "sometimes", "often", "usually", "subject", "n", "ne", "en", "ha", "han", "hemos", "sido", "siendo",
    "es", "son", "esta", "estan", "queda", "quedan", "quedado", "ser", "ya", "fue", "fueron", "se", "ter", "tem", "foi",
    "foram", "sendo", "e", "sao", "estao", "ja", "fica", "ficou", "stato", "stata", "stati", "state", "viene",
    "vengono", "hanno", "abbiamo", "gia", "sono", "ete", "a", "ont", "est", "sont", "avons", "deja", "etait", "fut",
    "aurait", "avoir", "haber", "aver", "venire", "bien", "sera", "completamente",
]);

/// French adverbs in "ment", an ending that English nouns have too.
pub(super) const FRENCH_ADVERBS: &List = &List::of(&[
    "actuellement", "completement", "correctement", "definitivement", "desormais", "egalement", "entierement",
    "eventuellement", "finalement", "immediatement", "initialement", "malheureusement", "momentanement", "normalement",
    "officiellement", "partiellement", "prealablement", "precedemment", "provisoirement", "rapidement", "recemment",
    "seulement", "simplement", "temporairement", "totalement",
]);

/// English words in "ly" that are no adverbs.
pub(super) const NO_ADVERBS: &List = &List::of(&[
    "supply", "resupply", "assembly", "disassembly", "family", "reply", "anomaly", "italy", "apply", "comply", "imply",
    "multiply", "rally", "tally", "monopoly",
]);

/// Phrases that open a condition, before a word of change or behind it: what follows them has not happened.
pub(super) const CONDITIONS: &List = &List::of(&[
    "if", "unless", "whether", "provided that", "in case", "in the case", "in the event", "in event",
    "in the unlikely event", "in any event of", "assuming", "depending on", "reserve the right", "reserves the right",
    "should we", "should the", "should this", "should any", "should there", "should your", "falls", "sofern",
    "im falle", "im fall", "fur den fall", "ob", "wenn", "vorbehalten", "als de", "als het", "als er", "als deze",
    "als dit", "indien", "mits", "tenzij", "in het geval", "ingeval", "mocht", "mochten", "wanneer", "of de", "of het",
    "en caso de que", "en el caso de que", "en caso", "si el", "si la", "si los", "si las", "si se", "si fuera", "si fuese", "si este", "si esta", "si por",
    "si hay", "si no", "salvo que", "siempre que", "a condicion de que", "a condicao de que", "caso nao", "caso um", "caso uma", "caso nossa",
    "caso nosso", "caso ocorra", "caso sejam", "caso se", "caso ela", "caso ele", "no caso de que", "no caso", "em caso de que", "em caso", "caso a", "caso o", "caso as", "caso os", "caso esta",
    "caso este", "caso haja", "caso seja", "se a", "se o", "se as", "se os", "se esta", "se este", "se houver",
    "se for", "se por", "se nao", "se non", "in caso", "nel caso in cui", "nel caso che", "nel caso", "a condizione che", "qualora", "se il", "se la", "se lo", "se l", "se i", "se le", "se gli",
    "se questa", "se questo", "se dovesse", "se dovessero", "se per", "nell eventualita", "ove", "en cas", "au cas", "a condition que", "a condition qu",
    "dans le cas", "si les", "si le", "si l", "si cette", "si cet", "si ce", "si un", "si une", "s il", "s ils",
    "si elle", "si vous", "si nous", "eger", "halinde", "durumunda", "takdirde",
]);

/// Phrases that open a clause of time: what follows them is still to come, unless it is told as past.
pub(super) const TIMES: &List = &List::of(&[
    "once", "when", "whenever", "until", "till", "upon", "after", "before", "prior to", "as soon as", "by the time",
    "while", "from", "pending", "sobald", "nachdem", "bis die", "bis der", "bis das", "bis alle", "bevor", "zodra",
    "nadat", "tot de", "tot het", "tot alle", "voordat", "cuando", "una vez", "despues de que", "despues que",
    "hasta que", "antes de", "antes que", "quando", "assim que", "depois que", "depois de", "ate que", "uma vez",
    "logo que", "dopo che", "una volta", "finche", "fino a quando", "prima che", "appena", "quand", "lorsque",
    "apres que", "une fois", "jusqu a ce", "avant que", "avant", "des que", "aussitot", "des la", "des le", "des l", "a la fin", "a l issue", "ao termino", "ao fim", "ao final",
    "al termino", "al termine", "al finalizar", "al fin", "alla fine",
]);

/// Words that open a condition at the start of a sentence, or behind a comma: "Should it be cancelled, …".
pub(super) const INVERTED: &List =
    &List::of(&["should", "were", "had", "sollte", "sollten", "wird", "muss", "mochte", "wordt", "dovesse", "dovessero"]);

/// Words that begin a new statement, which an earlier condition does not govern.
pub(super) const STATEMENTS: &List = &List::of(&["that", "dass", "dat", "que", "che", "ki"]);

/// Words that open a reason before an article.
pub(super) const REASONS: &List = &List::of(&["because", "since", "weil", "omdat", "porque", "perche", "poiche", "puisque"]);

/// Words of courtesies, which are no conditions of the maintenance: "If you have any questions about the cancelled work".
pub(super) const COURTESY: &List = &List::of(&[
    "question", "questions", "concern", "concerns", "inquiries", "enquiries", "query", "queries", "doubt", "doubts",
    "information", "assistance", "help", "contact", "frage", "fragen", "ruckfragen", "vragen", "pregunta", "preguntas",
    "consulta", "consultas", "duda", "dudas", "duvida", "duvidas", "pergunta", "perguntas", "domanda", "domande",
    "dubbi", "renseignement", "sorunuz", "sorulariniz", "wondering", "wonder", "inconvenience", "apologise",
    "apologize",
]);

/// Nouns and pronouns for the maintenance, its times, its notice and its crew, as word beginnings.
pub(super) const WORK: &List = &List::of(&[
    "maintenance", "work", "activit", "window", "event", "date", "time", "schedule", "notification", "notice",
    "announcement", "intervention", "upgrade", "migration", "operation", "job", "ticket", "change", "outage", "slot",
    "it", "this", "these", "they", "crew", "start", "end", "begin", "everything", "night", "appointment", "mw", "pw",
    "we", "timing", "cutover", "splic", "visit", "procedure", "repair", "plan", "replacement", "test", "task", "project", "status", "wartung", "arbeit",
    "massnahme", "fenster", "zeitraum", "zeitfenster", "uhrzeit", "termin", "ankundigung", "eingriff", "es", "sie", "diese", "beginn", "onderhoud", "werk",
    "werkzaamhed", "venster", "datum", "tijd", "aankondiging", "het", "dit", "deze", "ingreep", "mantenimiento",
    "trabajo", "ventana", "intervencion", "actividad", "fecha", "horario", "tarea", "aviso", "manutencao",
    "manutencoes", "trabalho", "janela", "intervencao", "atividade", "data", "obra", "manutenzion", "lavor",
    "intervent", "finestra", "attivita", "travaux", "travail", "fenetre", "horaire", "bakim", "calisma", "pencere",
]);

/// Nouns for a single work, as word beginnings: at the head of a compound they are the maintenance, "the cable relocation".
pub(super) const ACTIONS: &List = &List::of(&[
    "relocation", "swap", "reroute", "rerouting", "move", "splice", "splicing", "installation", "reboot", "patching",
    "switchover", "cleaning", "decommissioning", "swing", "groom", "grooming", "restoration", "reconfiguration",
    "conversion", "removal", "replacing", "reinforcement", "inspection", "rearrangement", "diversion", "umbau",
    "tausch", "austausch", "umschaltung", "umzug", "omschakeling", "vervanging", "sustitucion", "reparacion", "troca",
    "reparo", "sostituzione", "remplacement", "reparation", "bascule",
]);

/// Words before a participle that limit it to a part: "partially completed".
pub(super) const IN_PART: &List = &List::of(&[
    "partially", "partly", "half", "teilweise", "gedeeltelijk", "deels", "parcialmente", "parzialmente", "partiellement",
]);

/// Nouns for the objects of the work, as word beginnings.
pub(super) const SERVICE: &List = &List::of(&[
    "session", "service", "traffic", "circuit", "connection", "connectivity", "link", "port", "customer", "fiber",
    "fibre", "cable", "equipment", "card", "router", "switch", "path", "device", "pole", "node", "power", "route",
    "light", "installation", "order", "ring", "splice", "payment", "invoice", "support", "alarm", "server", "system", "subscription",
    "protection", "user", "account", "verkehr", "dienst", "leitung", "kabel", "faser", "verkeer", "servicio", "trafico",
    "servico", "trafego", "servizi", "traffico", "trafic", "lien", "hizmet", "trafik", "devre", "hat", "hatt",
]);

/// Prepositions and possessives, behind which a noun is a part of another one or belongs to somebody: "the ring of your circuit".
pub(super) const PREPOSITIONS: &List = &List::of(&[
    "on", "of", "for", "at", "to", "in", "with", "affecting", "regarding", "about", "concerning", "impacting", "by",
    "near", "from", "our", "your", "under", "during", "throughout", "within", "wahrend", "tijdens", "durante", "pendant", "an", "am", "fur", "von", "bei", "im", "voor", "van", "op", "aan", "del",
    "sobre", "para", "em", "na", "do", "da", "di", "per", "sul", "sulla", "della", "sur", "pour", "du", "dans",
]);

/// Words directly behind a noun of change that make it a matter of rules: "cancellation policy".
pub(super) const RULES: &List = &List::of(&[
    "policy", "policies", "fee", "fees", "charge", "charges", "request", "requests", "terms", "deadline", "rights",
    "conditions", "time", "date", "period", "report", "times",
]);

/// Words before a participle or a noun of change that make it no specific one: "any cancelled work", "no cancellation".
pub(super) const NOT_SPECIFIC: &List = &List::of(&[
    "any", "no", "without", "every", "each", "possibility", "risk", "mogliche", "etwaige", "eventuali", "eventuales",
    "eventuais", "eventuelle", "eventuels", "posible", "possivel",
]);

/// Words before a noun of change that is still to come, or only possible: "upon completion".
pub(super) const BEFORE_PENDING_NOUN: &List = &List::of(&[
    "avoid", "prevent", "upon", "until", "before", "after", "on", "possible", "potential", "possibly", "to", "expected", "estimated", "eventual", "eventuale", "near", "towards", "pending", "bei",
    "nach", "bis", "vor", "falls", "na", "bij", "tot", "eventuele", "tras", "hasta", "cualquier",
    "apos", "ate", "qualquer", "dopo", "fino", "apres", "toute", "avant",
]);

/// Words that govern an infinitive that nobody has carried out: "it is not possible to cancel".
pub(super) const GOVERNS_INFINITIVE: &List = &List::of(&[
    "possible", "impossible", "able", "unable", "right", "rights", "option", "ability", "wish", "wishes", "want",
    "wants", "like", "request", "requested", "requests", "ask", "asked", "contact", "call", "order", "how", "try",
    "trying", "attempt", "efforts", "effort", "hope", "prefer", "reason", "capability", "click", "portal", "here",
    "used", "reply", "happy", "possibility", "team",
]);

/// Words for an earlier maintenance that a notice mentions: "the previous maintenance was cancelled".
pub(super) const EARLIER: &List = &List::of(&[
    "previous", "earlier", "prior", "last", "former", "first", "vorige", "vorherige", "letzte", "anterior",
    "precedente", "precedent", "onceki", "past", "preceding",
]);

/// Beginnings of words of any length, anywhere in the sentence, with which [`EARLIER`] describes the notice and no other maintenance:
/// "the earlier announced maintenance".
pub(super) const ANNOUNCED: &List = &List::of(&[
    "announced", "notified", "scheduled", "planned", "communicated", "advised", "notification", "notice", "mail",
    "email", "message", "announcement", "informed", "sent", "angekundigt", "angekundigte", "aangekondigd",
    "aangekondigde", "anunciad", "annunciat", "annonce", "duyurulan", "window",
]);

/// Word beginnings of legal texts: "if you are not the intended recipient, ignore this mail". They count with a condition, a prohibition
/// or a denial alone, for they stand in notices as well: "Dear recipients, the maintenance has been cancelled".
pub(super) const LEGAL: &List = &List::of(&[
    "recipient", "confidential", "privileged", "addressee", "disclosure", "confidencial", "riservat",
    "confidentiel", "vertraulich", "vertrouwelijk", "destinatario", "destinataire", "gizli",
]);

/// Word beginnings of a list's footer, behind which up to a dash or a colon nothing is said of the maintenance.
pub(super) const FOOTER: &List = &List::of(&["unsubscribe"]);

/// Verbs that prohibit what a legal text denies: "must not be changed or forwarded".
pub(super) const PROHIBITIONS: &List = &List::of(&[
    "must", "may", "shall", "should", "darf", "durfen", "mag", "mogen", "debe", "deben", "deve", "devem", "devono",
    "doit", "doivent",
]);

#[cfg(test)]
mod tests {
    use super::{super::list::Words, *};

    #[test]
    fn lists_that_are_compared_with_single_words_have_no_phrases() {
        for list in [
            AHEAD, WILL, PAST, PERFECT, NOT, CONSENT, ORDERS_TO_IGNORE, POINTERS, LABELS, HELPERS, FRENCH_ADVERBS, NO_ADVERBS,
            INVERTED, STATEMENTS, REASONS, COURTESY, WORK, ACTIONS, IN_PART, SERVICE, PREPOSITIONS, RULES, NOT_SPECIFIC,
            BEFORE_PENDING_NOUN, GOVERNS_INFINITIVE, EARLIER, ANNOUNCED, LEGAL, FOOTER, PROHIBITIONS,
        ] {
            let phrases: Vec<_> = list.words().iter().filter(|entry| entry.contains(' ')).collect();
            assert!(phrases.is_empty(), "never found: {phrases:?}");
        }
    }
}
