//! Scripts: a passage told twice is found with its exact span in many of them,
//! though spelled in another of the ways that Unicode allows.

#![allow(clippy::unwrap_used, reason = "tests")]

mod generate;

use twicetold::{Config, Detector, Document, LangUnit, Report, Unit};
use unicode_normalization::UnicodeNormalization;

struct Case {
    name: &'static str,
    /// What stands around the passage in either document.
    around: [[&'static str; 2]; 2],
    passage: &'static str,
    /// The same in another spelling.
    again: String,
    unit: LangUnit,
}

fn cases() -> Vec<Case> {
    let case = |name, around, passage: &'static str, again: &str, unit| Case {
        name,
        around,
        passage,
        again: again.to_owned(),
        unit,
    };
    use LangUnit::{Char, Word};
    vec![
        case(
            "Arabic, with vowel marks and stretched letters",
            [["وصل القطار متأخرا", "ثم عاد الجميع إلى بيوتهم"], ["قال الجار", "وانتهى الكلام عند هذا الحد"]],
            "أعلن المجلس البلدي أمس أن الجسر القديم سيبقى مغلقا حتى نهاية الشهر بسبب أعمال الترميم",
            "أعلن المجلس البلـــدي أمس أن الجسر القديم سيبقى مغلقا حتى نهاية الشهر بسبب أعمال الترميم",
            Word,
        ),
        case(
            "Persian, with and without the zero-width non-joiner",
            [["دیروز هوا سرد بود", "پس همه به خانه رفتند"], ["او نامه‌ای نوشت", "و دیگر چیزی نگفت"]],
            "شورای شهر می‌گوید که پل کهنه تا پایان ماه بسته می‌ماند و رانندگان باید از راه دیگری بروند",
            "شورای شهر میگوید که پل کهنه تا پایان ماه بسته می‌ماند و رانندگان باید از راه دیگری بروند",
            Word,
        ),
        case(
            "Chinese",
            [["昨天下了一场大雨，", "孩子们都很高兴。"], ["他在信里写道：", "后来就没有消息了。"]],
            "市议会宣布老桥将关闭到月底，司机必须绕行另一条道路，工程费用由省政府承担",
            "市议会宣布老桥将关闭到月底，司机必须绕行另一条道路，工程费用由省政府承担",
            Char,
        ),
        case(
            "Japanese, in half-width letters",
            [["昨日は雨でした。", "子供たちは喜びました。"], ["彼は手紙にこう書いた。", "その後は何も聞いていない。"]],
            "市議会は古い橋を月末まで閉鎖すると発表し、ドライバーは別の道を通らなければならない",
            "市議会は古い橋を月末まで閉鎖すると発表し、ﾄﾞﾗｲﾊﾞｰは別の道を通らなければならない",
            Char,
        ),
        case(
            "Thai",
            [["เมื่อวานฝนตกหนัก", "เด็กๆ ดีใจมาก"], ["เขาเขียนจดหมายว่า", "แล้วก็เงียบหายไป"]],
            "สภาเมืองประกาศว่าสะพานเก่าจะปิดจนถึงสิ้นเดือนและผู้ขับขี่ต้องใช้เส้นทางอื่น",
            "สภาเมืองประกาศว่าสะพานเก่าจะปิดจนถึงสิ้นเดือนและผู้ขับขี่ต้องใช้เส้นทางอื่น",
            Char,
        ),
        case(
            "Hindi",
            [["कल बहुत बारिश हुई", "बच्चे खुश थे"], ["उसने चिट्ठी में लिखा", "फिर कोई खबर नहीं आई"]],
            "नगर परिषद ने घोषणा की कि पुराना पुल महीने के अंत तक बंद रहेगा और चालकों को दूसरे रास्ते से जाना होगा",
            "नगर परिषद ने घोषणा की कि पुराना पुल महीने के अंत तक बंद रहेगा और चालकों को दूसरे रास्ते से जाना होगा",
            Word,
        ),
        case(
            "Russian, with ё and е",
            [["Вчера шёл дождь", "дети были рады"], ["Он написал в письме", "больше вестей не было"]],
            "Городской совет объявил, что старый мост останется закрыт до конца месяца, и всё движение пойдёт в объезд",
            "ГОРОДСКОЙ СОВЕТ объявил, что старый мост останется закрыт до конца месяца, и все движение пойдет в объезд",
            Word,
        ),
        case(
            "Greek, without accents in capitals",
            [["Χθες έβρεχε πολύ", "τα παιδιά χάρηκαν"], ["Έγραψε στο γράμμα", "μετά δεν ακούστηκε τίποτα"]],
            "Ο δήμος ανακοίνωσε ότι η παλιά γέφυρα θα μείνει κλειστή ως το τέλος του μήνα λόγω έργων",
            "Ο ΔΗΜΟΣ ΑΝΑΚΟΙΝΩΣΕ ότι η παλιά γέφυρα θα μείνει κλειστή ως το τέλος του μήνα λόγω έργων",
            Word,
        ),
        case(
            "Turkish, with dotted capitals",
            [["Dün çok yağmur yağdı", "çocuklar sevindi"], ["Mektupta şöyle yazdı", "sonra haber gelmedi"]],
            "İlçe belediyesi eski köprünün ay sonuna kadar kapalı kalacağını ve ışıkların yenileneceğini duyurdu dün akşam",
            "ilçe belediyesi ESKİ köprünün ay sonuna kadar kapalı kalacağını ve ışıkların yenileneceğini duyurdu dün akşam",
            Word,
        ),
        case(
            "German, with ß and ss and soft hyphens",
            [["Gestern regnete es", "die Kinder freuten sich"], ["Im Brief stand", "danach kam nichts mehr"]],
            "Die große Straßenbrücke bleibt laut Stadtrat bis zum Monatsende gesperrt, der Verkehr wird umgeleitet",
            "Die grosse Strassen\u{ad}brücke bleibt laut Stadtrat bis zum Monatsende gesperrt, der Verkehr wird umgeleitet",
            Word,
        ),
        case(
            "Vietnamese, composed and decomposed",
            [["Hôm qua trời mưa to", "bọn trẻ rất vui"], ["Anh ấy viết trong thư", "rồi không có tin gì nữa"]],
            "Hội đồng thành phố thông báo rằng cây cầu cũ sẽ đóng cửa đến cuối tháng và xe cộ phải đi đường khác",
            &"Hội đồng thành phố thông báo rằng cây cầu cũ sẽ đóng cửa đến cuối tháng và xe cộ phải đi đường khác"
                .nfd()
                .collect::<String>(),
            Word,
        ),
        case(
            "several scripts in one sentence",
            [["It rained all day", "nobody minded"], ["She wrote a letter", "there was no answer"]],
            "The mayor of 東京都 met Иван Петров and Γιώργος Παπάς at the café on Straße 17 in München yesterday",
            "THE MAYOR of 東京都 met Иван Петров and Γιωργος Παπας at the cafe on Strasse 17 in Munchen yesterday",
            Word,
        ),
    ]
}

fn scan(documents: &[Document]) -> Report {
    Detector::new(Config::default()).unwrap().scan(documents).unwrap()
}

#[test]
fn a_passage_is_found_in_every_script_and_spelling() {
    for Case { name, around, passage, again, unit } in cases() {
        let text = |[before, after]: [&str; 2], passage: &str| format!("{before}\n\n{passage}\n\n{after}");
        let documents =
            [Document::new("1", text(around[0], passage)), Document::new("2", text(around[1], &again))];
        let report = scan(&documents);
        let spans: Vec<(&str, &str)> = report
            .spans
            .iter()
            .map(|span| {
                let text = &documents[usize::from(&*span.doc == "2")].text;
                (&*span.doc, &text[span.start_byte as usize..span.end_byte as usize])
            })
            .collect();
        assert_eq!(spans, [("1", passage), ("2", &again)], "{name}");
        assert!(report.documents.iter().all(|row| row.lang_unit == unit), "{name}");
        let family = &report.families[0];
        assert_eq!((report.families.len(), family.variants, family.cohesion), (1, 1, 1.0), "{name}");
        let characters = passage.chars().count() as u32;
        assert_eq!(report.spans[0].end_char - report.spans[0].start_char, characters, "{name}");
    }
}

#[test]
fn no_script_finds_what_is_not_there() {
    for Case { name, around, .. } in cases() {
        let documents =
            [Document::new("1", around[0].join("\n\n")), Document::new("2", around[1].join("\n\n"))];
        assert_eq!(scan(&documents).families, [], "{name}");
    }
}

/// A text of single characters; none of them stands twice, so that nothing else is
/// told twice.
fn characters(fresh: &mut u32, count: usize) -> String {
    let from = *fresh;
    *fresh += count as u32;
    (from..*fresh).map(|at| char::from_u32(0x4e00 + at).unwrap()).collect()
}

fn words(fresh: &mut u32, count: usize) -> String {
    let from = *fresh;
    *fresh += count as u32;
    let words: Vec<String> = (from..*fresh).map(|at| generate::word(at as usize + 5000)).collect();
    words.join(" ")
}

/// Where a passage is told, by document: the stretches that the report has.
fn places(report: &Report, id: &str) -> Vec<(usize, usize)> {
    let of_one = report.occurrences.iter().filter(|row| &*row.doc == id);
    of_one.map(|row| (row.start_byte as usize, row.end_byte as usize)).collect()
}

/// What is told in words is found among single characters, and the other way round,
/// from the guaranteed length on: whatever most of a document is.
#[test]
fn a_passage_is_found_in_a_document_of_another_script() {
    for count in [8, 9, 12, 30, 60] {
        for in_words in [true, false] {
            let (mut of_words, mut of_characters) = (0, 0);
            let passage = match in_words {
                true => words(&mut of_words, count),
                false => characters(&mut of_characters, 2 * count + 1),
            };
            let mut document = |id: &str, among_words: bool| {
                let mut some = || match among_words {
                    true => words(&mut of_words, 100),
                    false => characters(&mut of_characters, 150),
                };
                Document::new(id, format!("{} {passage} {}", some(), some()))
            };
            let documents = [document("w", true), document("c", false), document("d", in_words)];
            for (documents, unit) in [Unit::Auto, Unit::Word]
                .into_iter()
                .flat_map(|unit| [(&documents[..2], unit), (&documents, unit)])
            {
                let mut config = Config::default();
                config.unit = unit;
                let report = Detector::new(config).unwrap().scan(documents).unwrap();
                let row = |id: &str| report.documents.iter().find(|row| &*row.id == id).unwrap();
                assert_eq!((row("w").lang_unit, row("c").lang_unit), (LangUnit::Word, LangUnit::Char));
                for document in documents {
                    let start = document.text.find(&passage).unwrap();
                    let found = places(&report, &document.id);
                    assert_eq!(
                        found,
                        [(start, start + passage.len())],
                        "{count} {in_words} {}",
                        document.text
                    );
                }
            }
            let mut config = Config::default();
            config.count_formulas = true;
            let compared = Detector::new(config).unwrap().compare(&documents, &[(0, 1)]).unwrap();
            assert_eq!(compared[0].passages.len(), 1, "{count} {in_words}");
        }
    }
}
