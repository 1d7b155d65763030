package converse

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/tiktoken-go/tokenizer"

	"outcrop"
)

// Samples of what people and programs send.
var samples = map[string]string{
	"english": `An inference profile is a name that clients invoke in place of a model. It says which Regions a request may be served in, and it carries the tags that its cost is booked under. Teams that share an account can tell their spending apart that way, without another key or another endpoint, and the people who pay can see at once where the money went.`,
	"dutch":   `Een inferentieprofiel is een naam die klanten aanroepen in plaats van een model. Het bepaalt in welke regio's een verzoek mag worden afgehandeld en draagt de labels waaronder de kosten worden geboekt. Zo kunnen teams die een account delen hun uitgaven uit elkaar houden.`,
	"german":  `Ein Inferenzprofil ist ein Name, den Aufrufer anstelle eines Modells verwenden. Es legt fest, in welchen Regionen eine Anfrage bearbeitet werden darf, und trägt die Schlagwörter, unter denen die Kosten gebucht werden. So können Gruppen ihre Ausgaben auseinanderhalten.`,
	"russian": `Профиль вывода — это имя, которое клиенты вызывают вместо модели. Он определяет, в каких регионах может обрабатываться запрос, и несёт метки, по которым учитываются расходы. Так команды с общим счётом видят свои траты отдельно.`,
	"chinese": `推理配置文件是客户端用来代替模型进行调用的名称。它规定请求可以在哪些区域得到处理,并带有用于成本分摊的标签。共用一个账户的团队由此可以分别查看各自的支出,而不需要另外的密钥或端点。`,
	"korean":  `추론 프로필은 클라이언트가 모델 대신 호출하는 이름입니다. 요청이 처리될 수 있는 리전을 정하고 비용을 나누는 데 쓰이는 태그를 담고 있습니다. 그래서 하나의 계정을 함께 쓰는 팀들이 각자의 지출을 따로 볼 수 있습니다.`,
	"go":      "// Add returns the sum.\nfunc (m Money) Add(n Money) Money {\n\tlo, carry := bits.Add64(m.lo, n.lo, 0)\n\thi, _ := bits.Add64(m.hi, n.hi, carry)\n\treturn Money{hi, lo}\n}\n\nfunc main() {\n\tif err := run(os.Args[1:]); err != nil {\n\t\tfmt.Fprintln(os.Stderr, err)\n\t\tos.Exit(1)\n\t}\n}\n",
	"json":    `{"type":"object","properties":{"city":{"type":"string","description":"Name of the city"},"unit":{"type":"string","enum":["celsius","fahrenheit"]},"days":{"type":"integer","minimum":1,"maximum":14}},"required":["city"]}`,
}

// Property: a text's estimate is within 45% of the o200k vocabulary's count,
// and over all samples together within 20%.
func TestEstimateIsCalibrated(t *testing.T) {
	enc, err := tokenizer.Get(tokenizer.O200kBase)
	if err != nil {
		t.Fatal(err)
	}
	total, guessed := 0, 0
	for name, text := range samples {
		ids, _, err := enc.Encode(text)
		if err != nil {
			t.Fatal(err)
		}
		var e estimate
		e.text(text)
		ratio := float64(e.total()) / float64(len(ids))
		t.Logf("%-8s %4d tokens, estimated %4d (%.2f)", name, len(ids), e.total(), ratio)
		if ratio < 0.55 || ratio > 1.45 {
			t.Errorf("%s: estimated at %.2f of the count", name, ratio)
		}
		total, guessed = total+len(ids), guessed+e.total()
	}
	if ratio := float64(guessed) / float64(total); ratio < 0.8 || ratio > 1.2 {
		t.Errorf("all together: estimated at %.2f of the count", ratio)
	}
}

func TestEstimateCountsEveryPart(t *testing.T) {
	long := strings.Repeat("word ", 200)
	doc := json.RawMessage(`"` + long + `"`)
	message := func(b ContentBlock) *Request { return &Request{Messages: []Message{{Content: []ContentBlock{b}}}} }
	blob := Encode64(make([]byte, 100<<10))
	for name, r := range map[string]*Request{
		"text":      message(Text(long)),
		"system":    {System: []SystemContentBlock{{Text: &long}}},
		"guard":     {System: []SystemContentBlock{{GuardContent: &GuardrailConverseContentBlock{Text: &GuardrailConverseTextBlock{Text: long}}}}},
		"picture":   message(ContentBlock{Image: &ImageBlock{}}),
		"guarded":   message(ContentBlock{GuardContent: &GuardrailConverseContentBlock{Image: &GuardrailConverseImageBlock{}}}),
		"pdf":       message(ContentBlock{Document: &DocumentBlock{Format: "pdf", Source: DocumentSource{Bytes: blob}}}),
		"docx":      message(ContentBlock{Document: &DocumentBlock{Format: "docx", Source: DocumentSource{Bytes: blob}}}),
		"txt":       message(ContentBlock{Document: &DocumentBlock{Format: "txt", Source: DocumentSource{Bytes: blob}}}),
		"inline":    message(ContentBlock{Document: &DocumentBlock{Source: DocumentSource{Content: []DocumentContentBlock{{Text: &long}}}}}),
		"video":     message(ContentBlock{Video: &VideoBlock{Source: VideoSource{Bytes: blob}}}),
		"audio":     message(ContentBlock{Audio: &AudioBlock{Source: AudioSource{Bytes: blob}}}),
		"toolUse":   message(ContentBlock{ToolUse: &ToolUseBlock{Input: doc}}),
		"result":    message(ContentBlock{ToolResult: &ToolResultBlock{Content: []ToolResultContentBlock{{Json: doc}, {Image: &ImageBlock{}}, {Document: &DocumentBlock{}}, {Video: &VideoBlock{}}, {SearchResult: &SearchResultBlock{}}}}}),
		"reasoning": message(ContentBlock{ReasoningContent: &ReasoningContentBlock{ReasoningText: &ReasoningTextBlock{Text: long}}}),
		"cited":     message(ContentBlock{CitationsContent: &CitationsContentBlock{Content: []CitationGeneratedContent{{Text: &long}}}}),
		"search":    message(ContentBlock{SearchResult: &SearchResultBlock{Content: []SearchResultContentBlock{{Text: long}}}}),
		"tool":      {ToolConfig: &ToolConfiguration{Tools: []Tool{{CachePoint: &CachePointBlock{}}, {ToolSpec: &ToolSpecification{InputSchema: ToolInputSchema{Json: doc}}}}}},
		"schema":    {OutputConfig: &OutputConfig{TextFormat: &OutputFormat{Structure: OutputFormatStructure{JsonSchema: &JsonSchemaDefinition{Schema: long}}}}},
		"variable":  {PromptVariables: map[string]PromptVariableValues{"x": {Text: &long}}},
	} {
		if n := EstimateInputTokens(r); n < 200 || n > 30000 {
			t.Errorf("%s: %d tokens", name, n)
		}
	}
	if n := EstimateInputTokens(nil); n != 0 {
		t.Errorf("nothing: %d tokens", n)
	}
	if a, b := EstimateInputTokens(&Request{}), outcrop.Tokens(0); a != b {
		t.Errorf("an empty request: %d tokens", a)
	}
}
