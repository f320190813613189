//! The words of change, by language and by what they tell: data alone.
//!
//! A word ends in `*` where any ending will do; `_` in a phrase stands for up to [`LONGEST_GAP`] other words. All are written as
//! [`super::tokens`] folds them: lower case, without accents.

use super::Change;

/// The most words that may stand for `_`.
pub(super) const LONGEST_GAP: usize = 6;

/// A language that carriers write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    English,
    German,
    Dutch,
    /// Spanish, Portuguese, Italian and French: their verbs stand as the English ones do.
    Romance,
    Turkish,
}

/// The form in which a word tells of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// A participle: "cancelled". It counts whatever it is said of.
    Done,
    /// A participle that counts only if it is said of the maintenance: a pole is moved as well.
    DoneToWork,
    /// The verb itself: "cancel", "rescheduling".
    Act,
    /// A noun, such as "cancellation".
    Noun,
    /// Negated it tells that nothing will happen: "(will not) take place".
    Happens,
}

/// Words of one language that tell the same in the same way.
pub(super) struct Entry {
    pub(super) language: Language,
    pub(super) change: Change,
    pub(super) form: Form,
    pub(super) phrases: &'static [&'static str],
}

const fn entry(language: Language, change: Change, form: Form, phrases: &'static [&'static str]) -> Entry {
    Entry { language, change, form, phrases }
}

use Change::{Cancelled, Completed, Ended, Extended, Postponed, Started, Unclear, Unfinished};
use Form::{Act, Done, DoneToWork, Happens, Noun};
use Language::{Dutch, English, German, Romance, Turkish};

#[rustfmt::skip]
pub(super) const ENTRIES: &[Entry] = &[
    // English.
    entry(English, Cancelled, Done, &[
        "cancelled", "canceled", "cancelation notice", "cxl", "cxld", "called off", "called _ off", "withdrawn", "withdrew", "aborted", "abandoned",
        "scrapped", "shelved", "revoked", "rescinded", "retracted", "annulled", "nullified", "voided", "null and void", "axed",
        "stood down", "stood _ down", "standing down", "stand down", "rolled back", "rolled _ back", "backed out", "written off", "given up", "decided against", "decided not to",
        "opted not to", "chosen not to", "elected not to", "superseded", "sent in error", "issued in error", "sent by mistake", "issued by mistake", "announced in error",
        "disregard", "please ignore", "off the table", "gave up", "give up", "access denied", "access refused", "access was denied", "access has been denied", "us stop", "us to stop", "ends here", "false alarm", "test notice", "this is a test", "forget the mail", "forget the notice", "forget the notification", "forget the below", "forget the following", "strike the following", "strike the below", "is dead", "is history", "are history", "no need for this", "no need for the work", "no need for the maintenance", "moot", "made _ impossible", "makes _ impossible", "impossible because", "impossible due", "impossible now", "opened by mistake", "opened in error", "raised by mistake", "raised in error", "binned", "nixed", "ditched", "knocked on the head", "knock _ on the head", "as null", "is null", "as withdrawn", "without being carried out", "without being performed", "without being done", "without having been carried out", "no longer any need", "no longer a need", "no longer any reason",
        "strike this", "s off", "its off", "off the calendar", "will wait", "without any work", "without work being", "given to another", "no intervention is", "no intervention will", "no work is", "no works are", "no maintenance is", "no activity is", "no activity will", "not have to expect", "need not expect", "no longer have to expect", "not be touched after all", "not be affected after all", "out of your schedule", "out of your planning", "from your planning", "from your schedule", "from your agenda", "from your plans", "out of your agenda", "we need only one of", "need only one night", "only the first window", "only the second window", "only the first night", "only the second night", "no longer expected", "no longer foreseen", "no longer anticipated", "no longer on", "prevents us", "prevented us", "prevent us", "prevented from", "prevents this", "prevents the work*", "prevents the maintenance", "prevents the activity", "prevented this", "prevented the work*", "prevented the maintenance", "removed from _ calendar", "removed from _ schedule", "remove _ from your calendar", "remove _ from your diary", "delete _ from your calendar",
        "delete _ from your diary", "you may delete this", "you can delete this", "you may remove this", "you can remove this", "take _ out of your calendar", "take _ out of your diary", "take _ off your calendar",
        "no maintenance will", "no work will", "no works will", "there will be no maintenance", "there is no maintenance", "will not be any maintenance",
    ]),
    entry(English, Cancelled, DoneToWork, &[
        "is off", "are off", "now off", "taken off", "dropped", "pulled", "terminated", "discontinued", "halted", "stopped", "scratched", "obsolete", "void", "invalid",
        "not valid", "not happening", "released", "turned down", "discarded", "reverted", "removed", "deleted", "rejected", "declined", "expired", "refused", "failed", "unsuccessful", "skipped",
        "off the", "struck off", "taken down from", "unnecessary", "no go",
    ]),
    entry(English, Cancelled, Act, &[
        "cancel", "cancels", "cancelling", "canceling", "withdraw", "withdraws", "withdrawing", "abort", "aborts", "aborting", "abandon", "abandoning",
        "call off", "call _ off", "calling off", "calling _ off", "calls off", "scrap", "scrapping", "revoke", "revoking",
        "roll back this", "rolling back this", "roll back the maintenance", "rolling back the maintenance", "retract", "retracts", "retracting", "rescind", "discard this", "discard the", "discard our", "discard previous", "void this", "bin this", "bin the", "ignore this", "ignore the", "ignore our", "ignore all", "ignore previous", "pull this", "pulling this", "drop this", "dropping this",
    ]),
    entry(English, Cancelled, Noun, &["cancellation", "cancellations", "cancelation", "withdrawal", "cancellation notice", "stand down", "abandonment"]),
    entry(English, Cancelled, Happens, &[
        "go ahead", "going ahead", "gone ahead", "go forward", "going forward", "go on", "going on", "proceed", "proceeding", "proceeded", "happen", "happening", "take place", "taking place", "taken place",
        "occur", "approved", "granted", "authorised", "authorized", "carried out", "performed", "executed", "conducted", "implemented", "undertaken", "done", "done as planned", "held", "required", "needed", "necessary",
        "apply", "applies", "applicable", "valid", "planned", "scheduled", "relevant", "in effect", "in force", "in place", "come off", "materialise", "materialize", "continue", "continuing", "be on",
        "have any effect", "pursued", "start", "begin", "commence", "perform", "carry out", "conduct", "execute", "implement", "do the", "do this", "be doing", "performing", "carrying out", "conducting", "need to", "valid",
    ]),
    entry(English, Postponed, Done, &[
        "postponed", "deferred", "rescheduled", "put off", "put back", "pushed back", "pushed out", "pushed _ back", "held over", "held up", "wait until", "us wait", "on hold", "put _ hold", "adjourned", "rearranged", "replanned", "re planned",
        "rebooked", "slipped to", "slipped by", "slipped into", "slips to", "slips by", "slid to", "slid into", "brought forward", "brought _ forward", "pulled forward", "pulled _ forward", "pulled ahead", "bringing _ forward", "moved forward", "moved back", "moved up", "in abeyance", "on ice", "back burner", "pushed _ out", "push _ out", "held off", "until further notice", "new date", "new dates", "new window", "new time slot", "new slot", "new schedule", "revised window", "revised date", "revised dates", "revised time",
        "revised times", "revised schedule", "revised start", "updated window", "updated schedule", "new maintenance date", "new maintenance window", "new start date", "new start time", "new end time", "new time is", "new window is", 
        "sine die",
    ]),
    entry(English, Postponed, DoneToWork, &[
        "week later", "weeks later", "day later", "days later", "hours later", "hour later", "week earlier", "day earlier", "days earlier", "hours earlier", "hour earlier",
        "been revised", "was revised", "were revised", "been amended", "was amended", "were amended", "different date", "another date", "another day", "another night", "another time", "later date", "earlier date", "later stage", "later time", "later point in time",
        "moved", "shifted", "suspended", "paused", "delayed", "advanced", "changed", "held back", "pushed", "slipped", "frozen", "parked", "relocated", "transferred", "adjusted", "swapped", "reassigned", "interrupted",
        "altered", "modified", "amended", "reduced", "curtailed", "moves to", "becomes", "amended to", "revised to", "corrected to", "updated to", "instead", "switched to",
    ]),
    entry(English, Postponed, Act, &[
        "hold off", "holding off", "shifting the", "shifting this", "shifting our", "interrupt the work*", "interrupt this", "interrupt our work*", "interrupt the maintenance", "interrupt the activity", "stop the work*", "stop this", "stop our work*", "stop the maintenance", "stop the activity", "halt the", "halt this", "pause the", "pause this", "break off", "suspend the work*", "suspend our work*", "resume it", "resume the work*", "resume this", "resume work*", "resume our work*", "postpone", "postpones", "postponing", "defer", "defers", "deferring", "reschedule", "reschedules", "rescheduling", "put off", "put back", "push back", "push _ back",
        "bring forward", "bring _ forward", "suspend this", "suspend the maintenance", "suspending this", "suspending the maintenance", "move this maintenance", "move the maintenance", "moving this maintenance", "moving the maintenance", "delay this", "delay the maintenance", "delaying the maintenance", "push this", "pushing this",
    ]),
    entry(English, Postponed, Noun, &["change of date", "change of time", "change of schedule", "change of _ date", "change of _ time", "change of _ window", "change of _ schedule", "change to _ date", "change to _ time", "change to _ window", "change in _ time", "date change", "time change", "schedule change", "change in schedule", "change to the schedule", "change in date", "change in the date",
        "change to the date", "postponement", "postponements", "deferral", "deferment", "suspension of the maintenance", "suspension of this maintenance"]),
    entry(English, Unclear, Done, &["is now expected", "are now expected", "is now estimated", "completion is now", "end is now", "start is now", "under review", "list of circuits has", "list of services has", "circuit list has", "service list has", "list has changed", "removed from the list", "removed from this list", "added to the list", "no longer affected", "no longer impacted", "not affected any more", "not part of _ more", "no longer part of", "further circuit*", "further service*", "additional circuit*", "forgot", "impact has", "impact is now", "impact was changed", "impact changed", "corrects our", "corrects the previous", "corrects the former", "corrects the one", "mail corrects", "notice corrects", "notification corrects", "announcement corrects", "correct our mail", "correct our notice", "is now scheduled for", "are now scheduled for", "is now planned for", "are now planned for", "now take place", "now be carried out", "now be performed"]),
    entry(English, Unclear, Done, &[
        "was wrong", "were wrong", "is wrong", "are wrong", "wrong date*", "wrong time*", "wrong day", "wrong night", "wrong window", "wrong year", "wrong month", "wrong zone", "wrong circuit*", "wrong service*", "wrong list",
        "was incorrect", "were incorrect", "is incorrect", "are incorrect", "incorrect date*", "incorrect time*", "incorrect day", "incorrect window", "incorrect circuit*", "incorrectly stated", "incorrectly announced", "incorrectly listed", "stated incorrectly",
        "is incomplete", "are incomplete", "was incomplete", "were incomplete", "back incomplete", "error in the date*", "error in the time*", "error in the _ notice", "error in the _ notification", "error in the _ announcement", "error in our", "mistake in the", "mistake in our", "typo", "misprint",
        "correction to", "correction notice", "correction of the date*", "correction of the time*", "correction of the window", "correction of the schedule", "should read", "must read", "right date*", "right time*", "correct date*", "correct time*", "corrected notice", "corrected notification", "corrected announcement", "corrected version", "corrected date*", "corrected time*", "corrected window", "correct date is", "correct dates are", "correct time is", "correct times are", "correct window is", "correct start", "correct end",
        "apologise for the error", "apologize for the error", "apologies for the error", "sorry for the error", "for the mistake", "supersedes the window", "supersedes the date*", "supersedes the time*",
    ]),
    entry(English, Unclear, Done, &[
        "removed from _ maintenance", "removed from _ scope", "removed from _ work*", "removed from _ activity", "removed from _ ticket", "removed from _ notice", "removed from _ notification", "removed from _ event", "taken out of _ scope",
        "taken out of _ maintenance", "excluded from _ maintenance", "excluded from _ scope", "excluded from _ work*", "excluded from _ activity", "no longer part of", "no longer in scope",
    ]),
    entry(English, Unclear, Done, &["ticket replaces", "replaces ticket", "replaces the former", "replaces our former"]),
    entry(English, Unclear, Noun, &["correction", "corrigendum", "erratum"]),
    entry(English, Unfinished, Done, &["only half", "only a part of the", "only part of the", "remaining work*", "unfinished", "remains open", "without finishing", "without completing", "without having finished", "without having completed", "only _ was done", "only _ were done", "only _ could be done"]),
    entry(English, Extended, Done, &["prolonged", "needs _ more hours", "need _ more hours", "needs more time", "need more time", "need another", "needs another", "overrun", "overran", "running late", "running behind", "ran behind", "running over", "taking longer", "takes longer than", "took longer", "longer than planned", "takes longer", "needs _ second night", "need _ second night", "needs another night", "night is needed", "is late", "are late", "behind schedule", "further hour*", "hours more", "hour more", "additional hour*", "longer than expected", "longer than anticipated", "more time than", "lengthened", "extra time", "additional time"]),
    entry(English, Extended, DoneToWork, &["extended", "expanded", "shortened"]),
    entry(English, Extended, Act, &["extend the", "extend this", "extending the", "extending this", "prolong", "prolonging", "overrunning"]),
    entry(English, Extended, Noun, &["extension notification", "extension notice", "extension of the maintenance", "extension of this maintenance", "extension of the window", "extension of maintenance", "extension of window", "maintenance extension"]),
    entry(English, Completed, Done, &["job done", "re done", 
        "completed", "is complete", "are complete", "was complete", "now complete", "been complete", "complete and", "finished", "concluded", "finalised", "finalized", "wrapped up", "accomplished",
        "successfully carried out", "successfully performed", "successfully executed", "successfully implemented", "successfully done", "carried out successfully", "performed successfully", "executed successfully",
        "is behind us", "are behind us", "went well", "was successful", "were successful", "all clear", "finished early", "all done", "all _ are restored", "been restored", "was restored", "were restored", "now restored", "fully restored", "back to normal", "back in service", "back up and running", "is back", "are back", "up again", "with success",
    ]),
    entry(English, Completed, DoneToWork, &["is done", "are done", "now done", "been done", "was done", "complete"]),
    entry(English, Completed, Noun, &["completion", "closure", "conclusion"]),
    entry(English, Ended, Done, &["now over", "now closed"]),
    entry(English, Ended, DoneToWork, &["is over", "are over", "ended", "closed", "maintenance over", "work over", "works over", "all over", "was carried out", "were carried out", "been carried out", "was performed", "were performed", "been performed", "took place", "taken place", "been executed", "been implemented", "resolved", "solved"]),
    entry(English, Started, Done, &["still going on", "is still going", "are still going", "is live", "is at work", "are at work", "window is open", "now starting", "are starting the", "is starting now", "begun", "began", "commenced", "underway", "under way", "in progress", "kicked off"]),
    entry(English, Started, DoneToWork, &["is running", "are running", "is active", "are active", "started", "is ongoing", "are ongoing", "currently ongoing", "now ongoing", "still ongoing", "now live"]),
    // German.
    entry(German, Cancelled, Done, &[
        "abgesagt*", "storniert*", "annulliert*", "gestrichen*", "zuruckgezogen*", "zurueckgezogen*", "abgebrochen*", "aufgehoben*", "hinfallig*", "hinfaellig*", "gecancelt*", "gecancelled", "entfallt", "entfaellt", "entfallen", "entfiel",
        "widerrufen", "gegenstandslos", "ungultig*", "fallt aus", "faellt aus", "fallen aus", "verworfen", "abgeblasen", "ausgefallen", "findet nicht", "finden nicht", "nicht statt", "nicht stattfinden", "nicht mehr statt",
        "nicht durchgefuhrt", "nicht durchgefuehrt", "nicht ausgefuhrt", "nicht ausgefuehrt", "nicht mehr erforderlich", "nicht langer erforderlich", "nicht mehr notig", "nicht mehr notwendig", "nicht mehr gultig", "nicht mehr durchgefuhrt", "nicht mehr benotigt",
        "nicht mehr geplant", "nicht mehr zutreffend", "zuruckgerollt", "ruckgangig", "ins wasser", "gestoppt*", "ruhen", "nehmen _ abstand", "nimmt _ abstand", "wird _ abgesehen", "gegenstandslos", "nichtig", "zu ignorieren", "ignorieren sie", "nicht zu beachten",
    ]),
    entry(German, Started, Done, &["lauft noch", "lauft derzeit", "lauft gerade", "lauft seit", "lauft aktuell", "lauft bereits", "lauft jetzt", "laufen noch", "laufen derzeit", "laufen gerade", "laufen seit", "laufen aktuell", "laufen bereits", "wartung lauft"]),
    entry(German, Cancelled, Act, &["absagen", "stornieren", "annullieren", "streichen", "sagen _ ab", "sagt _ ab", "brechen _ ab", "ziehen _ zuruck"]),
    entry(German, Cancelled, Noun, &["absage", "stornierung", "annullierung", "streichung", "stornomeldung", "storno", "wartungsabsage"]),
    entry(German, Postponed, Done, &[
        "verschoben*", "verlegt*", "vertagt*", "aufgeschoben*", "zuruckgestellt*", "zurueckgestellt*", "ausgesetzt*", "pausiert*", "vorverlegt*", "vorgezogen*", "umgeplant*", "neu terminiert", "verzogert sich", "verzoegert sich", "neuer termin",
        "neuen termin", "neues datum", "neues wartungsfenster", "bis auf weiteres", "auf unbestimmte zeit", "anderen termin", "spateren zeitpunkt",
    ]),
    entry(German, Postponed, DoneToWork, &["geandert*", "geaendert*", "unterbrochen", "verzogert", "verzoegert", "eingestellt"]),
    entry(German, Postponed, Act, &["verschieben", "verschiebt sich", "verlegen", "vertagen", "vorziehen", "aussetzen", "stellen _ zuruck"]),
    entry(German, Postponed, Noun, &["verschiebung", "verlegung", "vertagung", "terminanderung", "terminaenderung", "terminverschiebung", "aufschub"]),
    entry(German, Extended, Done, &["verlangert*", "verlaengert*", "ausgedehnt", "mehr zeit", "dauert langer", "dauern langer"]),
    entry(German, Extended, Noun, &["verlangerung", "verlaengerung"]),
    entry(German, Completed, Done, &["abgeschlossen*", "beendet*", "fertiggestellt*", "erledigt*", "vollendet*", "erfolgreich durchgefuhrt", "erfolgreich durchgefuehrt", "erfolgreich ausgefuhrt", "fertig"]),
    entry(German, Completed, Noun, &["abschlussmeldung", "abschluss der wartung", "fertigmeldung", "wartungsende"]),
    entry(German, Started, Done, &["begonnen*", "gestartet*", "angefangen", "im gange", "lauft derzeit", "laufen derzeit", "laeuft derzeit", "hat begonnen"]),
    // Dutch.
    entry(Dutch, Cancelled, Done, &[
        "geannuleerd*", "afgelast*", "afgezegd*", "afgeblazen", "ingetrokken*", "afgebroken*", "vervallen", "vervalt", "geschrapt*", "gecanceld*", "gestaakt", "niet door", "niet gewerkt", "niet plaats", "niet plaatsvinden", "niet meer nodig", "niet langer nodig", "niet meer van toepassing",
        "niet langer van toepassing", "niet uitgevoerd", "niet meer uitgevoerd", "niet doorgaan", "niet meer noodzakelijk", "teruggetrokken", "teruggedraaid", "herroepen", "zien af van", "ziet af van", "gestopt", "te negeren", "negeer",
    ]),
    entry(Dutch, Cancelled, Act, &["annuleren", "afgelasten", "afzeggen", "intrekken"]),
    entry(Dutch, Cancelled, Noun, &["annulering", "afgelasting", "intrekking"]),
    entry(Dutch, Postponed, Done, &[
        "uitgesteld*", "verzet", "verschoven*", "opgeschort*", "in de wacht", "aangehouden", "vervroegd*", "vertraagd*", "herpland*", "opnieuw gepland", "opnieuw ingepland", "verdaagd", "nieuwe datum", "nieuwe tijd", "andere datum", "latere datum", "tot nader order",
        "nader te bepalen", "naar voren gehaald", "verlaat",
    ]),
    entry(Dutch, Postponed, DoneToWork, &["verplaatst*", "gewijzigd*"]),
    entry(Dutch, Postponed, Act, &["uitstellen", "verplaatsen", "verzetten", "opschorten", "stellen _ uit"]),
    entry(Dutch, Postponed, Noun, &["uitstel", "verplaatsing", "opschorting", "datumwijziging", "vervroeging"]),
    entry(Dutch, Extended, Done, &["verlengd*", "uitgelopen", "loopt uit", "lopen uit", "duurt langer", "duren langer"]),
    entry(Dutch, Extended, Noun, &["verlenging"]),
    entry(Dutch, Completed, Done, &["afgerond*", "voltooid*", "beeindigd*", "succesvol uitgevoerd"]),
    entry(Dutch, Completed, DoneToWork, &["gereed", "klaar", "afgesloten", "afgelopen"]),
    entry(Dutch, Completed, Noun, &["afronding", "gereedmelding", "voltooiing"]),
    entry(Dutch, Started, Done, &["begonnen", "gestart*", "aangevangen", "aan de gang", "van start gegaan"]),
    // Spanish, Portuguese, Italian, French.
    entry(Romance, Cancelled, Done, &[
        "cancelad*", "cancelo", "cancelou", "cancela", "cancelan", "anulad*", "anulo", "anulou", "annullat*", "annulla", "cancellato", "cancellata", "cancellati", "cancellate", "annule", "annulee", "annules", "annulees", "annulons", "cancelamos", "anulamos", "suprimid*", "supprime", "supprimee", "supprimes", "soppress*", "revocat*", "revocad*", "revogad*", "revoque", "revoquee", "ritirat*", "retirad*", "ete retire*", "est retire*", "retiree", "abortad*", "abortit*", "abandonad*", "abandonne", "abandonnee", "abandonnes",
        "abbandonat*", "caso omiso", "ignorar el", "ignorar este", "ignorar esta", "no tener en cuenta", "no tenga en cuenta", "no tengan en cuenta", "desconsidere*", "desconsiderar", "ignorar o", "favor ignorar", "ignorare la", "ignorare il", "ignorare questa", "ignorare questo", "non tenere conto", "non tener conto", "non considerare", "pas tenir compte", "pas compte", "ignorer ce", "ignorer cette", "ignorer le", "ignorer la", "sans objet", "renoncons", "sin efecto", "sem efeito", "caduque", "caduc", "desestimad*", "descartad*", "desconvocad*", "desmarcad*", "desistid*", "desistio", "decommande*",
        "no se realizar*", "no se llevar* a cabo", "no se ejecutar*", "no se efectuar*", "no se hara", "no tendra lugar", "no tendran lugar", "no va a realizarse", "no sera realizad*", "no seran realizad*", "ya no es", "ya no sera", "ya no se", "no procede", "no se va* a realizar", "no se va* a ejecutar", "no se va* a efectuar", "no se va* a llevar a cabo", "no vamos a realizar",
        "nao _ realizad*", "nao _ executad*", "nao _ efetuad*", "nao _ mais necessari*", "nao ocorrera*", "nao ira ocorrer", "nao vai ocorrer", "nao acontecer*", "nao ira acontecer", "nao vai acontecer", "nao tera lugar", "nao se realizar*", "nao havera manutencao", "nao e mais",
        "non avra _ luogo", "non avranno _ luogo", "non si terra*", "non si fara*", "non si svolger*", "non _ effettuat*", "non _ eseguit*", "non _ svolt*", "non _ piu necessari*", "non si effettuer*", "non e piu valid*", "non e piu previst*", "non sono piu previst*",
        "aura _ pas lieu", "aura _ plus lieu", "auront _ pas lieu", "auront _ plus lieu", "se tiendra pas", "se deroulera pas", "pas _ effectue*", "pas _ realise*", "pas maintenu*", "plus necessaire*", "plus prevu*", "plus valable*", "plus maintenu*",
        "plus d actualite",
    ]),
    entry(Romance, Cancelled, DoneToWork, &["saltat*", "interrott*", "interrompu*", "interrumpid*", "interrompid*"]),
    entry(Romance, Cancelled, Act, &["annuler", "cancelar", "anular", "annullare"]),
    entry(Romance, Cancelled, Noun, &["cancelacion", "anulacion", "cancelamento", "annullamento", "cancellazione", "annulation", "revoca", "anulacao", "retirada"]),
    entry(Romance, Postponed, Done, &[
        "aplazad*", "aplazan", "aplaza", "aplazo", "pospuest*", "pospone", "posponen", "reprograman", "postergan", "pospuso", "postergad*", "postergo", "diferid*", "reprogramad*", "reprogramo", "reprogramou", "replanificad*", "traslado al", "se mueve", "se mueven", "pasa al", "pasan al", "se traslada", "se trasladan", "se adelanta", "se adelantan", "se retrasa", "se retrasan", "adelantad*", "retrasad*", "reagendad*", "modificad* la fecha", "adiad*", "adiou", "remarcad*", "antecipad*",
        "atrasad*", "alterad* para", "rinviat*", "posticipat*", "differit*", "rimandat*", "ripianificat*", "riprogrammat*", "anticipato", "anticipata", "anticipati", "anticipate", "ritardat*", "slitta*", "ete reporte*", "est reporte*", "sont reporte*", "sera reporte*", "seront reporte*", "reportee", "reportees", "differe", "differee", "differes", "decale", "decalee", "decales", "decalees", "ajourne", "ajournee",
        "ajournes", "repousse", "repoussee", "repousses", "avance", "avancee", "avances", "replanifie*", "reprogramme", "reprogrammee", "reprogrammes", "reprogrammees", "retarde", "retardee", "retardes", "remis a", "remise a", "remis au", "remise au", "nueva fecha", "nuevo horario", "nova data", "novo horario", "nuova data", "nuove date", "nouvelle date",
        "nouvelles dates", "nouvel horaire", "otra fecha", "outra data", "altra data", "autre date", "hasta nuevo aviso", "ate novo aviso", "fino a nuova comunicazione", "fino a nuovo avviso", "jusqu a nouvel ordre", "en pausa", "em pausa", "in pausa", "en pause", "postposad*", "adiada", "fue movid*", "cambio de fecha", "mudanca de data", "cambio data", "changement de date",
    ]),
    entry(Romance, Postponed, DoneToWork, &["suspendid*", "suspendio", "suspenso", "suspensa", "suspensos", "suspensas", "sospes*", "suspendu*", "movid*", "trasladad*", "cambiad*", "transferid*", "spostat*", "deplace", "deplacee", "deplaces", "deplacees", "modificato", "modificata", "modificati", "modificate", "modificad*", "alterad*", "modifie*", "cambio", "reporte", "reportes", "en espera", "em espera", "in attesa", "en attente"]),
    entry(Romance, Postponed, Act, &["aplazar", "posponer", "reprogramar", "adiar", "reagendar", "rinviare", "posticipare", "riprogrammare", "reporter", "replanifier"]),
    entry(Romance, Postponed, Noun, &["aplazamiento", "postergacion", "reprogramacion", "adiamento", "reagendamento", "rinvio", "posticipo", "riprogrammazione", "report de", "report du", "ajournement", "suspension", "sospensione", "suspensao", "reprogramacao", "reprogrammation", "spostamento"]),
    entry(Romance, Extended, Done, &["se amplia", "se amplian", "se extiende", "se extienden", "mas tiempo de", "mais tempo do", "plus longtemps", "piu a lungo", "oltre la finestra", "prorrogad*", "prorrogo", "extendid*", "ampliad*", "prolongad*", "estendid*", "prorogat*", "estes*", "prolungat*", "prolonge", "prolongee", "prolonges", "prolongees", "etendu*"]),
    entry(Romance, Extended, Noun, &["prorroga", "prorrogacao", "prorrogacion", "proroga", "prolongation", "prolungamento"]),
    entry(Romance, Completed, Done, &[
        "completad*", "completo con exito", "finalizad*", "finalizo", "finalizou", "finalizaron", "finalizaram", "terminaron", "terminaram", "concluyeron", "concluiram", "acabaron", "acabaram", "terminad*", "termino", "terminou", "concluid*", "concluyo", "concluiu", "encerrad*", "encerrou", "completato", "completata", "completati", "completate", "terminato", "terminata", "terminati", "sono terminate", "conclus", "concluso", "conclusa", "conclusi", "concluse", "conclusos", "conclusas", "ultimato", "ultimata", "ultimati", "finito", "finita", "finiti", "finite", "acabad*", "acheve", "achevee", "acheves", "achevees", "terminee",
        "termines", "terminees", "cloture", "cloturee", "clotures", "fini", "finie", "finis", "finies", "acabou", "realizad* con exito", "realizad* com sucesso", "eseguit* con successo", "realise* avec succes", "effectue* avec succes",
    ]),
    entry(Romance, Completed, DoneToWork, &["termine"]),
    entry(Romance, Completed, Noun, &["finalizacion", "conclusao", "finalizacao", "completamento", "achevement", "fin des travaux", "fin de los trabajos", "fine lavori", "cierre", "encerramento"]),
    entry(Romance, Started, Done, &[
        "iniciad*", "dado inicio", "teve inicio", "tiveram inicio", "deu inicio", "han dado comienzo", "ha dado comienzo", "avuto inizio", "inicio el mantenimiento", "iniciou", "comenzad*", "comenzo", "comenzaron", "empezaron", "iniciaron", "iniciaram", "comecaram", "han comenzado", "empezad*", "comecou", "comecad*", "iniziat*", "avviat*", "cominciat*", "a commence", "ont commence", "est commence*", "sont commence*", "debute", "debutee", "demarre", "demarree", "en curso",
        "em curso", "em andamento", "in corso", "en cours",
    ]),
    entry(German, Postponed, DoneToWork, &["stunde spater", "stunden spater", "tag spater", "tage spater", "woche spater", "wochen spater", "stunde fruher", "stunden fruher", "tag fruher", "tage fruher"]),
    entry(German, Unclear, DoneToWork, &["falsch", "irrtum*"]),
    entry(Dutch, Postponed, DoneToWork, &["uur later", "dag later", "dagen later", "week later", "uur eerder", "dag eerder", "dagen eerder"]),
    entry(Dutch, Unclear, Done, &["klopt niet", "kloppen niet", "verkeerde datum", "verkeerde tijd*"]),
    entry(Dutch, Unclear, DoneToWork, &["onjuist*"]),
    entry(Romance, Postponed, DoneToWork, &["hora mas tarde", "horas mas tarde", "dia despues", "dias despues", "hora antes", "horas antes", "hora mais tarde", "horas mais tarde", "ora dopo", "ore dopo", "heure plus tard", "heures plus tard", "jour plus tard", "jours plus tard", "heure plus tot", "heures plus tot"]),
    entry(Romance, Unclear, DoneToWork, &["errone*", "errad*", "errat*", "equivocad*", "incorrect*"]),
    // Turkish: the ending of the word, or the next word, tells how.
    entry(Turkish, Cancelled, Done, &["iptal*", "yapilmayacak*", "gerceklestirilmeyecek*", "gerceklesmeyecek*", "gerek kalma*", "gecersiz*", "dikkate alma*", "yok say*", "vazgecil*", "geri cekil*", "geri alin*", "yapilmamasina", "yurutulmeyecek*", "durdurul*", "sonlandirilmis*"]),
    entry(Turkish, Postponed, Done, &["ertele*", "askiya alin*", "one alin*", "ileri alin*", "yeni tarih*", "tasinmis*", "tasindi*", "degistiril*", "beklemeye alin*", "gecikti*", "gecikecek*", "ileri bir tarih*"]),
    entry(Turkish, Unclear, Done, &["yanlis*", "hatali"]),
    entry(Turkish, Extended, Done, &["uzatil*", "uzatma*"]),
    entry(Turkish, Completed, Done, &["tamamlan*", "bitti*", "bitmis*", "sona er*", "sonlandiril*", "tamamlama bildirimi"]),
    entry(Turkish, Started, Done, &["basladi*", "baslamis*", "baslatil*", "devam ediyor*", "devam etmekte*"]),
];
