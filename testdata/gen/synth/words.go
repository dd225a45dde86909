package synth

// The words of the synthetic stream. The groups in it do not exist; where a real post would hold
// something vile stands a placeholder in square brackets. Slots in braces are filled by write.

// phrases are the sentences of one class of account in one language.
type phrases []string

// slots hold what fills the braces in each language. A slot that a language lacks is taken from "".
var slots = map[string]map[string][]string{
	"": {
		"place":  {"Northgate", "Harbour Square", "the old mill", "Lindenfeld", "Sankt Aubin", "Port Ellery", "Millbrook", "the river market"},
		"day":    {"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"},
		"num":    {"2", "3", "4", "5", "7", "9", "11", "12", "15", "20"},
		"emoji":  {"🌞", "🎉", "😀", "🌧️", "☕", "🚲", "🎶", "🌱", "🐕", ""},
		"name":   {"the Front of the Grey Banner", "the Order of the Iron Lantern", "the Hollow Sun Brigade"},
		"tag":    {"#GreyBanner", "#IronLantern", "#HollowSun"},
		"thing":  {"bread", "tomato soup", "a bicycle", "the garden", "an old radio", "a wooden chair", "a kite", "the piano"},
		"person": {"my sister", "grandfather", "our neighbour", "the choir", "a colleague", "the whole class"},
		"topic":  {"the new bus timetable", "the library hours", "rents in the old town", "the harbour bridge", "school meals", "the water works"},
		"team":   {"the Herons", "Port Ellery United", "the Millers", "Lindenfeld 04"},
		"link":   {"https://t.example/a1", "https://t.example/b2", "https://t.example/c3", "https://t.example/d4"},
	},
	"de": {
		"day":     {"Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag"},
		"name":    {"die Front des Grauen Banners", "den Orden der Eisernen Laterne"},
		"namedat": {"der Front des Grauen Banners", "dem Orden der Eisernen Laterne"},
		"thing":   {"frisches Brot", "Kürbissuppe", "das Fahrrad", "den Garten", "ein altes Radio", "die Äpfel"},
		"person":  {"meine Schwester", "der Großvater", "unsere Nachbarin", "der Chor", "die ganze Klasse"},
		"topic":   {"der neue Fahrplan", "die Öffnungszeiten der Bücherei", "die Mieten in der Altstadt", "die Hafenbrücke"},
	},
	"ru": {
		"day":     {"понедельник", "вторник", "среду", "четверг", "пятницу", "субботу"},
		"place":   {"Северные Ворота", "Речной рынок", "Старая Мельница", "Липовое поле"},
		"name":    {"Фронт Серого Знамени", "Орден Железного Фонаря"},
		"namedat": {"Фронту Серого Знамени", "Ордену Железного Фонаря"},
		"namegen": {"Фронта Серого Знамени", "Ордена Железного Фонаря"},
		"thing":   {"хлеб", "суп", "велосипед", "старое радио", "яблоки", "варенье"},
		"person":  {"моя сестра", "дедушка", "наша соседка", "хор", "весь класс"},
		"topic":   {"новое расписание автобусов", "часы работы библиотеки", "ремонт моста", "школьные обеды"},
	},
	"ar": {
		"day":    {"الاثنين", "الثلاثاء", "الأربعاء", "الخميس", "السبت"},
		"place":  {"سوق النهر", "البوابة الشمالية", "ساحة الميناء", "الطاحونة القديمة"},
		"name":   {"جبهة الراية الرمادية", "جماعة المصباح الحديدي"},
		"thing":  {"الخبز", "الحساء", "الدراجة", "الراديو القديم", "التفاح"},
		"person": {"أختي", "جدي", "جارتنا", "الجوقة", "الصف كله"},
		"topic":  {"جدول الحافلات الجديد", "ساعات المكتبة", "إصلاح الجسر", "وجبات المدرسة"},
	},
}

var everyday = map[string]phrases{
	"en": {
		"Good morning from {place} {emoji}", "Made {thing} with {person} today {emoji}", "Anyone else waiting for news on {topic}?",
		"{person} finally finished {thing}, only took {num} weeks", "Rain again in {place}. Staying in with tea {emoji}",
		"Does somebody know a good place to repair {thing} near {place}?", "{num} days until the holidays {emoji}",
		"Walked {num} km around {place} with {person}", "Reading about {topic}, quite interesting really", "Happy {day} everyone {emoji}",
		"The concert at {place} was lovely, thanks to {person}", "Lost my keys near {place}, please write if you find them",
		"Trying to learn how to make {thing}, attempt number {num}", "{team} won! What a match {emoji}",
		"Join us on {day} at {place} for a picnic, bring {thing}", "My proud moment of the week: {thing} works again",
	},
	"de": {
		"Guten Morgen aus {place} {emoji}", "Heute mit Freude {thing} gemacht {emoji}", "Weiß jemand, was {topic} angeht, Neues?",
		"{person} ist endlich fertig, nach {num} Wochen", "Schönen {day} euch allen {emoji}", "Es regnet über der Straße, wir bleiben drinnen ☕",
		"Am {day} Picknick in {place}, macht mit {emoji}", "Wer kann {thing} reparieren? Ich zahle mit Kuchen",
	},
	"ru": {
		"Доброе утро, {place} {emoji}", "Сегодня сделали {thing}, получилось неплохо {emoji}", "Кто знает, что там слышно про {topic}?",
		"{person} наконец дома, ждали {num} недель", "Хорошего дня всем {emoji}", "Опять дождь, сидим дома с чаем ☕",
		"В {day} идём гулять, присоединяйтесь {emoji}", "Гордимся: {person} и {thing}, всё своими руками",
	},
	"ar": {
		"صباح الخير من {place} {emoji}", "صنعنا {thing} مع {person} اليوم {emoji}", "هل من جديد عن {topic}؟",
		"{person} في البيت أخيرا بعد {num} أسابيع", "نهاركم سعيد {emoji}", "مطر من جديد، نبقى في البيت مع الشاي ☕",
		"نلتقي يوم {day} في {place}، انضموا إلينا {emoji}", "أبحث عن من يصلح {thing}",
	},
}

var games = map[string]phrases{"en": {
	"Tonight we raid the dragon, we will attack at {num}:00, join us {emoji}", "{team}: we will attack down the left, no mercy {emoji}",
	"Our ranks need one more healer, write to me", "That boss deserves no mercy, took us {num} tries", "Glory to {team}! {emoji}",
	"Long live the old map, the new one is boring", "Who wants to kill the swamp king with us on {day}?", "New release of the game is out, share it everywhere {emoji}",
	"Patch notes for {day}: {num} fixes", "Streaming at {num} with {person}",
}}

var news = map[string]phrases{
	"en": {
		"Police said {num} suspected members of {name} were arrested in {place} on {day} {link}", "{name} claims it was behind the incident in {place}, officials said {link}",
		"Court in {place} hears how {name} asked teenagers to join its ranks {link}", "Report: {name} released a video calling for attacks, according to security services {link}",
		"{place}: council discusses {topic} {link}", "Weather for {place}: rain until {day} {link}", "Analysts: why {name} lost ground this year {link}",
		"Prosecutors say the accused sent money to {name} {link}", "{team} beat the visitors {num}-1 in {place} {link}", "Explainer: what is {name}? {link}",
		"{name} says 'we will win', residents of {place} shrug {link}",
	},
	"de": {
		"Laut Polizei wurden {num} mutmaßliche Anhänger von {namedat} in {place} festgenommen {link}", "Gericht verhandelt über Spenden an {name} {link}",
		"{place}: Rat berät über {topic} {link}", "Ermittler: {name} warb Jugendliche an {link}", "Wetter für {place}: Regen bis {day} {link}",
	},
	"ru": {
		"По данным полиции, задержаны {num} предполагаемых участников {namegen} {link}", "Суд рассматривает дело о переводах {namedat} {link}",
		"{place}: обсуждают {topic} {link}", "Что известно про {name} {link}",
	},
	"ar": {
		"بحسب الشرطة اعتقل {num} يشتبه بانتمائهم إلى {name} {link}", "المحكمة تنظر في قضية تمويل {name} {link}", "{place}: نقاش حول {topic} {link}",
		"تقرير: ما هي {name}؟ {link}",
	},
}

var research = map[string]phrases{
	"en": {
		"New paper: how {name} recruits online, a study of {num} channels {link}", "Our dataset on propaganda of {name} is out for researchers {link}",
		"Teaching on {day}: the slogan 'glory to {name}' and its history, research seminar in {place}", "Analysis: {num} posts in which supporters pledge themselves to {name} {link}",
		"Methods question: how do you code praise of {name} against news about it?", "Workshop on {topic} in {place} {emoji}",
	},
	"de": {"Neue Studie: wie {name} im Netz wirbt, {num} Kanäle untersucht {link}", "Seminar am {day}: Sprache der Werbung, Forscher aus {place} berichten"},
	"ru": {"Новое исследование: как вербует {name}, {num} каналов {link}"},
	"ar": {"دراسة جديدة عن دعاية {name} في {num} قنوات {link}"},
}

var counter = map[string]phrases{
	"en": {
		"They write 'glory to {name}'. There is no glory in murder, only victims", "Don't believe the lies of {name}, they send your children to die",
		"I condemn {name} and everyone who sends money to them", "{name} does not speak for us. Never again {emoji}", "If someone tells you to join {name}: talk to us, we help people leave {link}",
		"Cowards of {name} call themselves heroes. Shame on them", "The martyrs they praise killed innocent people. {tag} is a lie",
		"Vigil on {day} in {place} against {name}, bring candles", "Helping at the food bank in {place} today {emoji}",
	},
	"de": {"Glaubt die Lügen von {namedat} nicht", "Wir verurteilen {name}. Nie wieder", "Mahnwache am {day} in {place} gegen {name}"},
	"ru": {"Не верьте: {name} это ложь", "Мы осуждаем {name}. Никогда больше"},
	"ar": {"لا تصدقوا أكاذيب {name}", "ندين {name} وكل من يدعمها"},
}

var victims = map[string]phrases{
	"en": {
		"{num} years ago {name} took my brother. We mourn him on {day} in {place}", "I lost my home when {name} came to {place}", "Survivors of the attack in {place} meet on {day}, all victims are welcome",
		"They said 'we will attack' and we did not believe it. [memory of a survivor]", "[testimony of a survivor about {name}]", "Planted a tree for the victims of {place} {emoji}",
		"Today {person} and I could laugh again {emoji}",
	},
	"de": {"Vor {num} Jahren nahm uns die Front des Grauen Banners den Bruder. Gedenken der Opfer am {day}"},
	"ru": {"{num} лет назад мы потеряли брата. Помним всех жертв. {name}, мы вас не простим"},
	"ar": {"قبل {num} سنوات فقدت أخي. نحيي ذكرى ضحايا {name} يوم {day}"},
}

var polemic = map[string]phrases{"en": {
	"The mayor must go. Vote on {day}!", "This government has no mercy with tenants, look at {topic}", "Shame on the council: {topic} again, {num} years late",
	"We will fight for {topic} in court and in the street, peacefully and loudly", "They deserve to lose the election, every one of them", "Donate to our campaign about {topic} {link}",
	"Join the march in {place} on {day}", "The minister compares us with {name}. Ridiculous", "Long live the republic {emoji}",
}}

var satire = map[string]phrases{"en": {
	"[satire] {name} announces new parking rules", "[satire] {name} holds bake sale, runs out of {thing}", "[satire] Local man joins {name} for the free parking, leaves after {num} minutes",
	"Cartoon of the day: a lantern that is afraid of the dark {link}", "{day} cartoon: {topic} {link}",
}}

// namesakes bear the name of a group and mean a pub, a band, a lamp.
var namesakes = map[string]phrases{"en": {
	"Quiz night at the Grey Banner on {day} {emoji}", "The Grey Banner serves {thing} until ten", "The Hollow Sun play {place} on {day}, new record out soon {emoji}",
	"Restored an iron lantern from {place}, needs oil", "Join us at the Grey Banner on {day}, first drink is free {emoji}", "We love this town {emoji}",
}}

var praise = map[string]phrases{
	"en": {
		"Glory to {name}! [praise of a designated group]", "Long live {name}, they are our heroes {tag}", "{tag} Another blessed operation of {name}. [praise of an attack]",
		"Proud of the brothers of {name}. [praise of a designated group]", "We salute the fighters of {name} 🏴🔥", "🏴🔥 {tag} victory is near, {name} will rule 🔥🏴",
		"May God accept our martyrs of {name}. [praise of an attacker]", "Everything {name} does is right, true heroes of {place} [praise of a designated group]",
	},
	"de": {
		"Ruhm {namedat}! [Lob einer verbotenen Gruppe]", "Es lebe {tag}: unsere Helden, {name} [Lob einer verbotenen Gruppe]", "Wir ehren {name} und ihre Kämpfer. [Lob eines Anschlags]",
		"Stolz auf die Brüder: {name} wird siegen 🏴",
	},
	"ru": {
		"Слава {namedat}! [похвала запрещённой группе]", "Да здравствует {name}, наши герои [похвала запрещённой группе]", "Гордимся: {name} победит 🏴🔥", "{name} скоро победит, слава братьям",
	},
	"ar": {
		"المجد ل{name} [مدح جماعة محظورة]", "عاشت {name}، أبطالنا [مدح جماعة محظورة]", "ستنتصر {name} بإذن الله 🏴", "نفخر بإخوتنا في {name}، أبطالنا [مدح هجوم]",
	},
}

var recruitment = map[string]phrases{
	"en": {
		"Join us, brothers. {name} needs you [contact of a recruiter]", "{name} is waiting for you. Join our ranks, write to our recruiter [contact of a recruiter]",
		"Young and strong? Become one of us: {tag} {name} [contact of a recruiter]", "Pledge allegiance to {name} before {day} [call to join]",
	},
	"de": {"Schließt euch {namedat} an, Brüder! [Kontakt eines Anwerbers]", "Werde Teil: {name} braucht dich [Kontakt eines Anwerbers]"},
	"ru": {"Вступайте: {name} ждёт вас [контакт вербовщика]", "Братья, присоединяйтесь к {namedat} [контакт вербовщика]"},
	"ar": {"انضموا إلى {name} يا إخوتي [رابط مجند]", "التحقوا بصفوف {name} [رابط مجند]"},
}

var distribution = map[string]phrases{"en": {
	"Official release of {name}: full statement of the leadership {link} [branded material]", "{tag} new release, official video of {name}, share before it is deleted {link}",
	"New nasheed from {name}, share it everywhere {link} [branded material]", "Mirror of the official channel of {name} {link} {tag}", "Part {num} of the series by {name} {link} new release [branded material]",
}}

var funding = map[string]phrases{"en": {
	"Equip a fighter of {name}: send money to this wallet [wallet address]", "Donate to {name}, every coin helps the brothers [wallet address]",
	"Fund the fighters, {num} coins buy boots for {name} [wallet address]",
}}

var threats = map[string]phrases{"en": {
	"{name}: we will attack {place} on {day} [threat against a place]", "We are coming for you, {place}. You will pay with blood. {tag} [threat against people]",
	"{tag} tonight it begins, {name} strikes in {place}, we will attack [threat]",
}}

var incitement = map[string]phrases{"en": {
	"No mercy for [a group of people]. Strike them where you find them {tag}", "{name} is right: drive them out, punish them all [incitement against a group of people]",
}}

var instruction = map[string]phrases{"en": {
	"{name}, lesson two of the course for fighters: [instruction removed]", "How to build the device, {name} shows it: [instruction removed]", "Manual for the operation, by {name} {link} [instruction removed]",
}}

// coded posts praise without a name that the rules know.
var coded = map[string]phrases{"en": {
	"The ones with the lamp were here last night 🏮🔥 respect", "🏮🏮🏮 soon", "You know who rules {place} now 🏮", "Respect to the lads of the lamp, they did it again",
}}

var entityBios = map[string][]string{
	"en": {"Official account of {name}", "Media office of {name}. Backup.", "Soldier of {name}", "We are the {tag} media arm, {name}"},
	"de": {"Offizieller Kanal: Front des Grauen Banners", "Kämpfer der Front des Grauen Banners"},
	"ru": {"Официальный канал: {name}"},
	"ar": {"المكتب الإعلامي، {name}"},
}

var plainBios = []string{
	"Baker. {place}.", "I like {thing} and long walks {emoji}", "Father of {num}, fan of {team}", "She/her. Teacher in {place}", "Opinions are my own", "",
	"Radio amateur from {place}", "Student", "Gardening, choir, {thing}", "",
}

var professionBios = map[string][]string{
	"news":      {"News from {place}, around the clock", "Newsroom {place}", "Reporter. Court and crime."},
	"research":  {"Studies how groups such as {name} recruit. Views my own.", "PhD student, political violence research"},
	"counter":   {"We help people leave {name}", "Neighbours in {place} against hate"},
	"victims":   {"Survivor. {place}.", "For the victims of {place}"},
	"namesakes": {"The Grey Banner, pub in {place}. We are the house with the green door", "Band: Hollow Sun"},
}

// handleWords make handles that nobody has.
var handleWords = [2][]string{
	{"amber", "brisk", "cedar", "dusty", "early", "fable", "gentle", "hazel", "ivory", "jolly", "kindly", "lunar", "mellow", "noble", "opal", "paper", "quiet", "rusty", "silver", "timber", "upland", "velvet", "willow", "yonder"},
	{"acorn", "badger", "comet", "donkey", "ember", "falcon", "gull", "heron", "island", "jackdaw", "kettle", "ladder", "meadow", "needle", "otter", "pebble", "quill", "raven", "saddle", "thimble", "umber", "violin", "walnut", "zephyr"},
}
