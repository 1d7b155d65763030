package simulator

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"outcrop/converse"
)

// phrases are the sentences of one language. Each verb names what is filled in.
type phrases struct {
	code     string
	words    []string // common words that give the language away, when its script does not
	identity string   // model, Region
	echo     string   // text
	long     string   // number of characters, beginning of the text
	nothing  string
	image    string // description
	document string
	clip     string
	result   string // tool, its answer
	failed   string // tool, its error
	closing  []string
	thought  string // model, text
}

// english is what is spoken when nothing tells otherwise.
var english = &phrases{
	code:     "en",
	identity: "I am the Outcrop simulator, standing in for %s in %s; no model has read this.",
	echo:     "You wrote: “%s”.",
	long:     "You wrote %d characters, beginning with: “%s”.",
	nothing:  "You wrote no text.",
	image:    "I was given an image (%s).",
	document: "I was given a document (%s).",
	clip:     "I was given a recording (%s).",
	result:   "The tool %s answered: %s",
	failed:   "The tool %s failed: %s",
	closing:  []string{"The same question will get the same answer.", "Ask again and I will say the same.", "Connect a real upstream to hear what the model thinks."},
	thought:  "I stand in for %s. The request says: “%s”. I will say what I am and repeat it.",
}

var languages = []*phrases{
	{code: "nl", words: []string{"de", "het", "een", "wat", "hoe", "ik", "je", "van", "niet", "is", "zijn", "hallo", "mij", "wie", "bent"},
		identity: "Ik ben de simulator van Outcrop en vervang %s in %s; geen model heeft dit gelezen.",
		echo:     "Je schreef: “%s”.", long: "Je schreef %d tekens, die beginnen met: “%s”.", nothing: "Je schreef geen tekst.",
		image: "Ik kreeg een afbeelding (%s).", document: "Ik kreeg een document (%s).", clip: "Ik kreeg een opname (%s).",
		result: "Het hulpmiddel %s antwoordde: %s", failed: "Het hulpmiddel %s mislukte: %s",
		closing: []string{"Dezelfde vraag krijgt hetzelfde antwoord."},
		thought: "Ik vervang %s. De vraag luidt: “%s”. Ik zeg wat ik ben en herhaal haar."},
	{code: "de", words: []string{"der", "die", "das", "und", "ist", "nicht", "ich", "du", "wie", "ein", "eine", "bist", "hallo", "was", "wer"},
		identity: "Ich bin der Outcrop-Simulator und vertrete %s in %s; kein Modell hat dies gelesen.",
		echo:     "Du schriebst: „%s“.", long: "Du schriebst %d Zeichen, beginnend mit: „%s“.", nothing: "Du schriebst keinen Text.",
		image: "Ich bekam ein Bild (%s).", document: "Ich bekam ein Dokument (%s).", clip: "Ich bekam eine Aufnahme (%s).",
		result: "Das Werkzeug %s antwortete: %s", failed: "Das Werkzeug %s schlug fehl: %s",
		closing: []string{"Dieselbe Frage bekommt dieselbe Antwort."},
		thought: "Ich vertrete %s. Die Anfrage lautet: „%s“. Ich sage, was ich bin, und wiederhole sie."},
	{code: "fr", words: []string{"le", "la", "les", "est", "et", "une", "que", "qui", "tu", "vous", "je", "bonjour", "dans", "quel", "pas"},
		identity: "Je suis le simulateur d'Outcrop, à la place de %s dans %s ; aucun modèle n'a lu ceci.",
		echo:     "Vous avez écrit : « %s ».", long: "Vous avez écrit %d caractères, qui commencent par : « %s ».", nothing: "Vous n'avez écrit aucun texte.",
		image: "J'ai reçu une image (%s).", document: "J'ai reçu un document (%s).", clip: "J'ai reçu un enregistrement (%s).",
		result: "L'outil %s a répondu : %s", failed: "L'outil %s a échoué : %s",
		closing: []string{"La même question aura la même réponse."},
		thought: "Je remplace %s. La demande dit : « %s ». Je dirai ce que je suis et la répéterai."},
	{code: "es", words: []string{"el", "los", "las", "una", "que", "es", "y", "por", "hola", "qué", "cómo", "eres", "soy", "para", "quién"},
		identity: "Soy el simulador de Outcrop, en lugar de %s en %s; ningún modelo ha leído esto.",
		echo:     "Escribiste: «%s».", long: "Escribiste %d caracteres, que empiezan por: «%s».", nothing: "No escribiste texto.",
		image: "Recibí una imagen (%s).", document: "Recibí un documento (%s).", clip: "Recibí una grabación (%s).",
		result: "La herramienta %s respondió: %s", failed: "La herramienta %s falló: %s",
		closing: []string{"La misma pregunta recibirá la misma respuesta."},
		thought: "Estoy en lugar de %s. La petición dice: «%s». Diré lo que soy y la repetiré."},
}

var scripts = []struct {
	table []*unicode.RangeTable
	speak *phrases
}{
	// Japanese mixes kana with Chinese characters, so kana decides first.
	{[]*unicode.RangeTable{unicode.Hiragana, unicode.Katakana}, &phrases{code: "ja",
		identity: "私は Outcrop のシミュレーターで、%[2]s の %[1]s の代わりにお答えしています。モデルはこれを読んでいません。",
		echo:     "お送りいただいた内容:「%s」。", long: "%d 文字をお送りいただきました。冒頭:「%s」。", nothing: "テキストはありませんでした。",
		image: "画像を受け取りました(%s)。", document: "文書を受け取りました(%s)。", clip: "録画または録音を受け取りました(%s)。",
		result: "ツール %s の回答:%s", failed: "ツール %s が失敗しました:%s",
		closing: []string{"同じ質問には同じ答えを返します。"},
		thought: "私は %s の代わりです。依頼の内容は「%s」です。自分が何であるかを述べ、それを繰り返します。"}},
	{[]*unicode.RangeTable{unicode.Hangul}, &phrases{code: "ko",
		identity: "저는 Outcrop 시뮬레이터이며 %[2]s의 %[1]s을(를) 대신해 답합니다. 이 글을 읽은 모델은 없습니다.",
		echo:     "보내신 내용: “%s”.", long: "%d자를 보내셨고, 이렇게 시작합니다: “%s”.", nothing: "보내신 텍스트가 없습니다.",
		image: "이미지를 받았습니다(%s).", document: "문서를 받았습니다(%s).", clip: "녹화 또는 녹음을 받았습니다(%s).",
		result: "도구 %s의 답: %s", failed: "도구 %s이(가) 실패했습니다: %s",
		closing: []string{"같은 질문에는 같은 답을 드립니다."},
		thought: "저는 %s을(를) 대신합니다. 요청 내용은 “%s”입니다. 제가 무엇인지 말하고 그대로 되풀이하겠습니다."}},
	{[]*unicode.RangeTable{unicode.Han}, &phrases{code: "zh",
		identity: "我是 Outcrop 模拟器,在 %[2]s 代替 %[1]s 作答;没有任何模型读过这段话。",
		echo:     "您写道:“%s”。", long: "您写了 %d 个字符,开头是:“%s”。", nothing: "您没有写文字。",
		image: "我收到一张图片(%s)。", document: "我收到一份文档(%s)。", clip: "我收到一段录音或录像(%s)。",
		result: "工具 %s 回答:%s", failed: "工具 %s 失败:%s",
		closing: []string{"同样的问题会得到同样的回答。"},
		thought: "我代替 %s。请求的内容是:“%s”。我会说明我是什么,并复述它。"}},
	{[]*unicode.RangeTable{unicode.Cyrillic}, &phrases{code: "ru",
		identity: "Я симулятор Outcrop и отвечаю вместо %s в %s; ни одна модель этого не читала.",
		echo:     "Вы написали: «%s».", long: "Вы написали %d знаков, начало: «%s».", nothing: "Вы не написали текста.",
		image: "Я получил изображение (%s).", document: "Я получил документ (%s).", clip: "Я получил запись (%s).",
		result: "Инструмент %s ответил: %s", failed: "Инструмент %s не сработал: %s",
		closing: []string{"На тот же вопрос будет тот же ответ."},
		thought: "Я вместо %s. Запрос гласит: «%s». Я скажу, что я такое, и повторю его."}},
	{[]*unicode.RangeTable{unicode.Arabic}, &phrases{code: "ar",
		identity: "أنا محاكي Outcrop أجيب بدلا من %s في %s؛ لم يقرأ أي نموذج هذا النص.",
		echo:     "كتبتَ: «%s».", long: "كتبتَ %d حرفا، تبدأ بـ: «%s».", nothing: "لم تكتب نصا.",
		image: "استلمت صورة (%s).", document: "استلمت مستندا (%s).", clip: "استلمت تسجيلا (%s).",
		result: "أجابت الأداة %s: %s", failed: "فشلت الأداة %s: %s",
		closing: []string{"السؤال نفسه يلقى الجواب نفسه."},
		thought: "أنا بدل %s. يقول الطلب: «%s». سأقول ما أنا وأكرره."}},
}

// Bounds of what is looked at and said again, in runes.
const (
	languageRunes = 400
	echoRunes     = 280
	longRunes     = 120
	resultRunes   = 400
)

// phrases are those of the language the question is asked in.
func (q *question) phrases() *phrases {
	head := firstRunes(q.text, languageRunes)
	letters, counts := 0, [8]int{}
	for _, r := range head {
		if r < 0x250 || !unicode.IsLetter(r) {
			if unicode.IsLetter(r) {
				letters++
			}
			continue
		}
		letters++
		for i := range scripts {
			if unicode.In(r, scripts[i].table...) {
				counts[i]++
				break
			}
		}
	}
	for i := range scripts {
		if counts[i]*5 > letters { // a fifth: names and code are often Latin
			return scripts[i].speak
		}
	}
	return latin(head)
}

// latin tells languages apart by their commonest words.
func latin(text string) *phrases {
	counts := make([]int, len(languages))
	total := 0
	for w := range strings.FieldsFuncSeq(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) }) {
		total++
		for _, i := range commonWords[w] {
			counts[i]++
		}
	}
	best, most := english, 1 // one word in common is chance
	for i, n := range counts {
		if n > most && n*6 >= total {
			best, most = languages[i], n
		}
	}
	return best
}

// commonWords leads from a word to the languages that use it much.
var commonWords = func() map[string][]int {
	index := make(map[string][]int)
	for i, p := range languages {
		for _, w := range p.words {
			index[w] = append(index[w], i)
		}
	}
	return index
}()

// answer says what the simulator is, then what it was given.
func (p *phrases) answer(q *question) string {
	said := []string{fmt.Sprintf(p.identity, q.attempt.Destination.Model, q.attempt.Destination.Region)}
	if results := p.results(q); len(results) > 0 {
		said = append(said, results...)
	} else {
		said = append(said, p.repeat(q.text))
	}
	said = append(said, p.attachments(q.last)...)
	said = append(said, p.closing[q.seed%uint64(len(p.closing))])
	return strings.Join(said, " ")
}

func (p *phrases) repeat(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	switch n := utf8.RuneCountInString(text); {
	case n == 0:
		return p.nothing
	case n > echoRunes:
		return fmt.Sprintf(p.long, n, firstRunes(text, longRunes)+"…")
	}
	return fmt.Sprintf(p.echo, text)
}

func (p *phrases) think(q *question) string {
	return fmt.Sprintf(p.thought, q.attempt.Destination.Model, firstRunes(strings.Join(strings.Fields(q.text), " "), longRunes))
}

// results repeats what the tools said.
func (p *phrases) results(q *question) []string {
	var said []string
	for i := range q.last.Content {
		r := q.last.Content[i].ToolResult
		if r == nil {
			continue
		}
		sentence := p.result
		if r.Status == "error" {
			sentence = p.failed
		}
		said = append(said, fmt.Sprintf(sentence, q.toolName(r.ToolUseId), firstRunes(resultText(r), resultRunes)))
	}
	return said
}

func resultText(r *converse.ToolResultBlock) string {
	var parts []string
	for i := range r.Content {
		switch c := &r.Content[i]; {
		case c.Text != nil:
			parts = append(parts, strings.ToValidUTF8(*c.Text, "\uFFFD"))
		case len(c.Json) > 0:
			parts = append(parts, strings.ToValidUTF8(string(c.Json), "\uFFFD"))
		case c.Image != nil:
			parts = append(parts, describeImage(c.Image))
		case c.Document != nil:
			parts = append(parts, describeDocument(c.Document))
		}
	}
	return strings.Join(parts, " ")
}

// toolName finds the tool that a toolUseId was given for.
func (q *question) toolName(id string) string {
	for i := range q.request.Messages {
		m := &q.request.Messages[i]
		for j := range m.Content {
			if use := m.Content[j].ToolUse; use != nil && use.ToolUseId == id {
				return use.Name
			}
		}
	}
	return id
}

func (p *phrases) attachments(m *converse.Message) []string {
	var said []string
	for i := range m.Content {
		switch b := &m.Content[i]; {
		case b.Image != nil:
			said = append(said, fmt.Sprintf(p.image, describeImage(b.Image)))
		case b.Document != nil:
			said = append(said, fmt.Sprintf(p.document, describeDocument(b.Document)))
		case b.Video != nil:
			said = append(said, fmt.Sprintf(p.clip, describeMedia(b.Video.Format, b.Video.Source.S3Location, b.Video.Source.Bytes)))
		case b.Audio != nil:
			said = append(said, fmt.Sprintf(p.clip, describeMedia(b.Audio.Format, b.Audio.Source.S3Location, b.Audio.Source.Bytes)))
		}
	}
	return said
}

// firstRunes cuts s after n runes.
func firstRunes(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}
