//! The words that tell a plan from what denies it, or from what has become of it: data alone, for all languages.
//!
//! As in [`super::grammar`], a list of word beginnings takes entries of up to four letters as whole words.

use super::list::List;

/// Words by which a clause denies something.
pub(super) const DENIALS: &List = &List::of(&[
    "not", "never", "neither", "nothing", "nobody", "none", "unable", "nicht", "nie", "niemals", "kein", "keine",
    "keinen", "keinem", "keiner", "niet", "nooit", "geen", "nunca", "nao", "non", "pas", "jamais", "degil",
]);

/// Words of Spanish, which shares its "no" with English.
pub(super) const ROMANCE_MARKS: &List = &List::of(&[
    "se", "ha", "han", "hemos", "sera", "seran", "el", "los", "las", "del", "que", "hay", "habra", "fue", "fueron",
    "es", "posible", "podemos", "vamos",
]);

/// Negations that are nouns, or the article of one.
pub(super) const THINGS: &List = &List::of(&[
    "no", "nothing", "none", "nobody", "kein", "keine", "keinen", "keiner", "geen",
]);

/// Nouns that "no" denies together with the maintenance, as word beginnings.
pub(super) const DENIED_NOUNS: &List = &List::of(&[
    "maintenance", "work", "activit", "intervention", "upgrade", "permit", "permission", "approval", "consent",
    "clearance", "access", "agreement", "crew", "engineer", "technician", "progress",
]);

/// Words before the noun that is denied.
pub(super) const DETERMINERS: &List = &List::of(&[
    "the", "this", "our", "these", "any", "l", "his", "its", "their", "die", "diese", "de", "het", "deze", "el", "la",
    "los", "os", "as", "i", "les",
]);

/// Words before an order's negation: "please do not reply".
pub(super) const ORDERING: &List = &List::of(&[
    "do", "please", "kindly", "bitte", "gelieve", "por", "favor", "si", "prega", "merci", "de", "ne", "there", "is",
    "so", "hence", "and",
]);

/// People who do the work, as word beginnings.
pub(super) const CREW: &List = &List::of(&[
    "crew", "team", "engineer", "technician", "contractor", "supplier", "vendor", "partner", "board", "techniker",
    "lieferant", "leverancier", "monteur", "tecnico", "proveedor", "contratista", "fornecedor", "fornitore",
    "technicien", "fournisseur", "prestataire", "ekip",
]);

/// The reader: what is denied of him is no plan of the carrier.
pub(super) const READERS: &List = &List::of(&[
    "you", "u", "sie", "ihnen", "usted", "ustedes", "vous", "voi", "customer", "customers", "client", "clients",
    "clientes", "clienti", "kunden", "klanten", "users", "peers", "members", "mailbox", "inbox", "address", "recipient",
]);

/// Subjects whose negation does not deny a plan, as word beginnings: "no outage is planned".
pub(super) const UNAFFECTED: &List = &List::of(&[
    "impact", "outage", "downtime", "interruption", "disruption", "effect", "auswirk", "ausfall", "impacto", "mailbox",
    "protection", "redundan",
]);

/// Words that may be negated without denying the plan, as word beginnings: an impact, an expectation, an answer.
pub(super) const UNDENIED: &List = &List::of(&[
    "impact", "affect", "effect", "expect", "anticipat", "foresee", "intend", "reply", "replie", "respond", "respons",
    "answer", "hesitat", "guarantee", "warrant", "accept", "liabil", "liable", "responsib", "recipient", "disclos",
    "monitor", "cause", "action", "notice", "reschedul", "postpon", "changed", "changing", "changes", "avoid",
    "prevent", "click", "attach", "interrupt", "disrupt", "downtime", "outage", "traffic", "service", "relat",
    "control", "support", "recommend", "contain", "includ", "confus", "secure", "worry", "alarm", "matter", "know",
    "aware", "hear", "receiv", "notif", "inform", "tell", "share", "forward", "only", "just", "exact", "known",
    "reminder", "facing", "phone", "telephone", "update", "moved", "move", "further", "additional", "weiter", "verder",
    "ulterior", "auswirk", "beeintracht", "erwart", "antwort", "beantwort", "betroffen", "notwendig", "verfug",
    "impacto", "impatt", "afect", "afeta", "dude", "dudar", "hesite", "rispond", "repond", "invlo", "gevolg",
    "beinvloed", "aarzel", "verwacht", "espera", "previs", "esita", "preve", "prevoi", "perturb", "imprim", "stampa",
    "stampare", "riservat", "redund", "protect", "applicable", "longer than", "exceed", "detail", "description", "compensat",
    "refund", "charg", "login", "password", "etkil",
]);

/// Behind a negation these deny another time or place: "not before 22:00".
pub(super) const LIMITS: &List = &List::of(&[
    "before", "until", "till", "unless", "outside", "earlier", "sooner", "without", "than", "except", "vor", "bevor",
    "ausser", "voor", "voordat", "buiten", "tenzij", "antes", "hasta", "ate", "prima", "avant", "salvo", "sauf", "once",
]);

/// Words for what somebody else does: "not being conducted by Colt" denies nothing of the plan.
pub(super) const DOING: &List = &List::of(&[
    "conduct", "perform", "carried", "out", "execut", "done", "undertak", "manag", "own", "run",
]);

/// Words that deny a duty where one of [`TO_DO`] follows: "not necessary to".
pub(super) const NEEDED: &List = &List::of(&[
    "necessary", "required", "needed", "necesario", "necesaria", "necessario", "necessaria", "necessaire", "falta",
    "notig", "nodig", "richiesta",
]);

/// Words that open what nobody has to do.
pub(super) const TO_DO: &List = &List::of(&[
    "to", "for", "on", "that", "from", "que", "hacer", "ninguna", "ningun", "nenhuma", "fazer", "de", "che", "alcuna",
    "fare", "dat", "dass", "om",
]);

/// Finite verbs of the past, and helping verbs that make one.
pub(super) const PAST_VERBS: &List = &List::of(&[
    "has", "have", "had", "was", "were", "went", "came", "took", "ended", "began", "ran", "gave", "left", "became",
    "fell", "met", "lost", "opened", "closed", "turned", "broke", "hit", "got", "made", "decided", "agreed", "did",
    "overlapped", "lasted", "ceased", "resulted", "encountered", "experienced", "caused", "faced", "saw", "stayed",
    "kept", "chose", "opted", "wurde", "wurden", "hat", "haben", "musste", "mussten", "konnte", "konnten", "endete",
    "endeten", "begann", "begannen", "fiel", "fielen", "ging", "gingen", "lief", "liefen", "kam", "kamen", "werd",
    "werden", "heeft", "hebben", "moest", "moesten", "kon", "konden", "liep", "fue", "fueron", "ha", "han", "hemos",
    "hubo", "tuvo", "tuvieron", "pudo", "pudieron", "foi", "foram", "teve", "tiveram", "conseguiu", "houve", "hanno",
    "abbiamo", "stato", "stata", "stati", "state", "ete", "ont", "avons", "fut", "furent",
]);

/// Before a past participle's "have" these make it no past: "may have resulted".
pub(super) const UNREAL_PAST: &List = &List::of(&[
    "be", "is", "are", "being", "may", "might", "could", "would", "should", "will", "must", "can", "shall", "kann",
    "konnte", "wird", "werden", "puede", "pueda", "pode", "possa", "puo", "peut", "pourrait",
]);

/// Behind "has" or "have" these make it a verb of its own, or one of duty: "we have a planned maintenance".
pub(super) const NO_PERFECT: &List = &List::of(&[
    "to", "a", "an", "no", "any", "the", "some", "further", "additional", "two", "three", "several", "keine", "kein",
    "eine", "einen", "ein", "een", "geen", "un", "una", "um", "uma", "en", "le", "la", "el", "de",
]);

/// Words that tell how things stand from now on, unlike before: "the end time is now 07:00".
pub(super) const NOW: &List = &List::of(&[
    "now", "nun", "nunmehr", "jetzt", "nu", "thans", "ahora", "agora", "ora", "adesso", "maintenant", "desormais",
    "artik",
]);

/// Nouns and pronouns for the maintenance, its times, its notice and those who do it, as word beginnings.
pub(super) const SUBJECTS: &List = &List::of(&[
    "maintenance", "work", "works", "activit", "intervention", "window", "event", "job", "upgrade", "operation",
    "night", "start", "end", "date", "time", "timing", "cutover", "cut", "splicing", "migration", "rollback", "notice",
    "notification", "announcement", "mail", "it", "this", "everything", "nothing", "all", "we", "crew", "team",
    "engineer", "technician", "change", "request", "plan", "schedule", "permit", "permission", "approval", "weather",
    "storm", "need", "reason", "wartung", "arbeiten", "massnahme", "termin", "datum", "zeitraum", "eingriff", "wir",
    "onderhoud", "werkzaamhed", "ingreep", "wij", "mantenimiento", "trabajo", "ventana", "intervencion", "actividad",
    "fecha", "manutencao", "trabalho", "janela", "intervencao", "atividade", "data", "manutenzion", "lavor",
    "intervent", "finestra", "attivita", "travaux", "fenetre", "nous",
]);

/// Verbs and adjectives with which a plan tells how it came about, or what it is, as word beginnings.
pub(super) const OF_PLANS: &List = &List::of(&[
    "schedul", "plan", "announc", "notif", "inform", "advis", "request", "approv", "agree", "arrang", "coordinat",
    "assign", "identif", "detect", "found", "notic", "observ", "receiv", "creat", "generat", "issued", "issues", "sent",
    "design", "necess", "requir", "attach", "includ", "provid", "listed", "lists", "describ", "classif", "categor",
    "prioriti", "raised", "submitted", "determin", "engaged", "chosen", "select", "set", "taken", "prepar", "optimi",
    "impact", "affect", "effect", "expect", "confirm", "tested", "made", "reason", "recent", "updated", "improve",
    "learn", "experienc", "review", "repair", "brought", "converted", "arrived", "reserved", "offer", "result",
    "produc", "distribut", "grant", "given", "obtain", "permit", "tried", "aim", "geplant", "vorgesehen", "angesetzt",
    "notwendig", "erforderlich", "beauftragt", "genehmigt", "abgestimmt", "angekundigt", "gepland", "noodzakelijk",
    "ingepland", "aangekondigd", "nodig", "program", "planific", "planead", "planej", "previst", "autorizad", "aprobad",
    "aprovad", "acordad", "solicitad", "necesari", "necessari", "prevu", "autoris", "demand", "agendad", "pianificat",
    "approvat", "richiest", "concordat", "annunciat", "anunciad", "annonc", "informad", "comunicad", "asignad",
    "atribui", "assegnat",
]);

/// Words beside which a sentence may set another time without a word of change; the vocabulary has "plus tard".
#[rustfmt::skip]
pub(super) const SHIFTS: &List = &List::of(&[
    "later", "earlier", "early", "late", "spater", "spaeter", "fruher", "frueher", "eerder", "tarde", "prima", "dopo", "despues",
    "depois", "instead", "rather", "statt", "anstatt", "anstelle", "plaats", "lugar", "vez", "invece", "lieu", "new", "another",
    "fallback", "backup", "contingency", "reserve", "alternate", "alternative", "standby", "replacement",
]);
