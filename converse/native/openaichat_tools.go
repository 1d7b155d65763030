package native

import (
	"encoding/json"

	"outcrop/converse"
)

func readChatTools(r *converse.Request, f fields) error {
	var tools []struct {
		Type     string `json:"type"`
		Function struct {
			Name        string          `json:"name"`
			Description string          `json:"description"`
			Parameters  json.RawMessage `json:"parameters"`
			Strict      *bool           `json:"strict"`
		} `json:"function"`
	}
	found, err := f.take("tools", strict{&tools})
	choice := f["tool_choice"]
	f.drop("tool_choice")
	if err != nil || !found || len(tools) == 0 || string(choice) == `"none"` {
		return err
	}
	r.ToolConfig = new(converse.ToolConfiguration)
	for _, t := range tools {
		r.ToolConfig.Tools = append(r.ToolConfig.Tools, converse.Tool{ToolSpec: &converse.ToolSpecification{
			Name: t.Function.Name, Description: t.Function.Description, Strict: t.Function.Strict,
			InputSchema: converse.ToolInputSchema{Json: orEmptyObject(t.Function.Parameters)},
		}})
	}
	var named struct {
		Type     string `json:"type"`
		Function struct {
			Name string `json:"name"`
		} `json:"function"`
	}
	switch {
	case string(choice) == `"required"`:
		r.ToolConfig.ToolChoice = &converse.ToolChoice{Any: new(converse.AnyToolChoice)}
	case string(choice) == `"auto"`:
		r.ToolConfig.ToolChoice = &converse.ToolChoice{Auto: new(converse.AutoToolChoice)}
	case len(choice) > 0 && strictly(choice, &named) == nil && named.Function.Name != "":
		r.ToolConfig.ToolChoice = &converse.ToolChoice{Tool: &converse.SpecificToolChoice{Name: named.Function.Name}}
	case len(choice) > 0 && string(choice) != "null":
		return malformed("#/tool_choice: not one of none, auto, required, or a function by its name")
	}
	return nil
}

func readResponseFormat(r *converse.Request, f fields) error {
	var format struct {
		Type       string `json:"type"`
		JSONSchema struct {
			Name        string          `json:"name"`
			Description string          `json:"description"`
			Schema      json.RawMessage `json:"schema"`
			Strict      passedOver      `json:"strict"` // Converse always is
		} `json:"json_schema"`
	}
	raw := f["response_format"]
	if _, err := f.take("response_format", strict{&format}); err != nil {
		return err
	}
	switch format.Type {
	case "", "text":
	case "json_schema":
		s := format.JSONSchema
		r.OutputConfig = &converse.OutputConfig{TextFormat: &converse.OutputFormat{Type: "json_schema", Structure: converse.OutputFormatStructure{
			JsonSchema: &converse.JsonSchemaDefinition{Schema: string(s.Schema), Name: s.Name, Description: s.Description},
		}}}
	default:
		f["response_format"] = raw
	}
	return nil
}
