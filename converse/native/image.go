package native

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"strings"

	"outcrop"
	"outcrop/converse"
	"outcrop/converse/task"
)

// Bounds of pictures that are asked for.
const (
	maxImages = 5
	maxSide   = 4096 // pixels
)

// picture refuses what is no base64.
func picture(key string, b converse.Base64) error {
	if _, err := b.Bytes(); err != nil {
		return malformed("#/%s: not valid base64", key)
	}
	return nil
}

// amazonParams names the parameters of each kind of task.
var amazonParams = map[string]string{
	"TEXT_IMAGE": "textToImageParams", "IMAGE_VARIATION": "imageVariationParams", "INPAINTING": "inPaintingParams", "OUTPAINTING": "outPaintingParams",
	"COLOR_GUIDED_GENERATION": "colorGuidedGenerationParams", "BACKGROUND_REMOVAL": "backgroundRemovalParams",
}

// amazonImage is the format of Titan Image Generator and Nova Canvas.
func amazonImage(_ outcrop.ModelID, f fields) (*Task, error) {
	i := &task.Image{Format: "png"}
	if err := f.demand("taskType", &i.Task); err != nil {
		return nil, err
	}
	name, known := amazonParams[i.Task]
	if !known {
		return nil, malformed("#/taskType: %q is not a valid enum value", i.Task)
	}
	var params fields
	i.Count, i.Width, i.Height = 1, 1024, 1024
	var config fields
	if err := f.demand(name, &params); err != nil {
		return nil, err
	}
	if _, err := f.take("imageGenerationConfig", &config); err != nil {
		return nil, err
	}
	if err := config.takeAll(map[string]any{"numberOfImages": &i.Count, "width": &i.Width, "height": &i.Height, "seed": &i.Seed, "quality": &i.Quality}); err != nil {
		return nil, err
	}
	var images [5]string
	var more []string
	err := params.takeAll(map[string]any{"text": &i.Prompt, "negativeText": &i.Negative, "images": &more,
		"image": &images[0], "maskImage": &images[1], "referenceImage": &images[2], "conditionImage": &images[3], "sourceImage": &images[4]})
	if err != nil {
		return nil, err
	}
	sources(i, append(more, images[:]...)...)
	maps.Copy(params, config) // both are carried on, such as style and cfgScale
	i.Extra = params
	if i.Task == "TEXT_IMAGE" && i.Prompt == "" {
		return nil, malformed("#/%s: required key [text] not found", name)
	}
	if i.Task != "TEXT_IMAGE" && i.Task != "COLOR_GUIDED_GENERATION" && len(i.Sources) == 0 {
		return nil, malformed("#/%s: an image is required", name)
	}
	if err := checkImage(i); err != nil {
		return nil, err
	}
	return &Task{Request: &task.Request{Image: i}, Encode: func(a *TaskAnswer) ([]byte, error) {
		return json.Marshal(map[string]any{"images": base64s(a.Response.Images), "error": nil})
	}}, nil
}

// sources adds the pictures that were given.
func sources(i *task.Image, images ...string) {
	for _, b := range images {
		if b != "" {
			i.Sources = append(i.Sources, converse.Base64(b))
		}
	}
}

func checkImage(i *task.Image) error {
	switch {
	case i.Count < 1 || i.Count > maxImages:
		return malformed("#: %d is no number of images from 1 to %d", i.Count, maxImages)
	case i.Width < 1 || i.Height < 1 || i.Width > maxSide || i.Height > maxSide:
		return malformed("#: %d x %d pixels are not within 1 to %d", i.Width, i.Height, maxSide)
	}
	for _, b := range i.Sources {
		if err := picture("image", b); err != nil {
			return err
		}
	}
	return nil
}

func base64s(images [][]byte) []string {
	out := make([]string, len(images))
	for i, b := range images {
		out[i] = base64.StdEncoding.EncodeToString(b)
	}
	return out
}

// pick takes out members that no other family knows, to carry them on.
func (f fields) pick(keys ...string) map[string]json.RawMessage {
	out := map[string]json.RawMessage{}
	for _, key := range keys {
		if raw, ok := f[key]; ok {
			out[key] = raw
			delete(f, key)
		}
	}
	return out
}

// aspects are the sizes of Stability's aspect ratios, in pixels.
var aspects = map[string][2]int{
	"1:1": {1024, 1024}, "16:9": {1344, 768}, "9:16": {768, 1344}, "21:9": {1536, 640}, "9:21": {640, 1536},
	"2:3": {832, 1216}, "3:2": {1216, 832}, "4:5": {896, 1088}, "5:4": {1088, 896},
}

// stableImage is the format of Stable Image, Stable Diffusion 3 and the
// services that edit pictures.
func stableImage(_ outcrop.ModelID, f fields) (*Task, error) {
	i := &task.Image{Count: 1, Task: "TEXT_IMAGE"}
	aspect, images := "1:1", [4]string{}
	i.Format = "png"
	read := map[string]any{"prompt": &i.Prompt, "negative_prompt": &i.Negative, "seed": &i.Seed, "output_format": &i.Format, "aspect_ratio": &aspect,
		"image": &images[0], "mask": &images[1], "init_image": &images[2], "style_image": &images[3]}
	if err := f.takeAll(read); err != nil {
		return nil, err
	}
	i.Extra = f.pick("mode", "strength", "control_strength", "grow_mask", "style_preset", "creativity", "fidelity", "left", "right", "up", "down", "search_prompt",
		"select_prompt", "composition_fidelity", "style_strength", "change_strength")
	if sources(i, images[:]...); len(i.Sources) > 0 {
		i.Task = "IMAGE_VARIATION"
	}
	if i.Prompt == "" && len(i.Sources) == 0 {
		return nil, missingKey("#", "prompt")
	}
	size, ok := aspects[aspect]
	if !ok {
		return nil, malformed("#/aspect_ratio: %q is not a valid enum value", aspect)
	}
	if err := word("output_format", i.Format, "png", "jpeg", "webp"); err != nil {
		return nil, err
	}
	i.Width, i.Height = size[0], size[1]
	if err := checkImage(i); err != nil {
		return nil, err
	}
	return &Task{Request: &task.Request{Image: i}, Encode: func(a *TaskAnswer) ([]byte, error) {
		n := len(a.Response.Images)
		seeds, reasons := make([]int64, n), make([]any, n)
		for k := range seeds {
			seeds[k] = i.Seed
		}
		return json.Marshal(map[string]any{"images": base64s(a.Response.Images), "seeds": seeds, "finish_reasons": reasons})
	}}, nil
}

// stableDiffusionXL is Stability's first format.
func stableDiffusionXL(_ outcrop.ModelID, f fields) (*Task, error) {
	i := &task.Image{Count: 1, Task: "TEXT_IMAGE", Format: "png", Width: 1024, Height: 1024}
	var prompts []struct {
		Text   string   `json:"text"`
		Weight *float64 `json:"weight"`
	}
	var image string
	if err := f.demand("text_prompts", &prompts); err != nil {
		return nil, err
	}
	if err := f.takeAll(map[string]any{"seed": &i.Seed, "width": &i.Width, "height": &i.Height, "samples": &i.Count, "init_image": &image}); err != nil {
		return nil, err
	}
	i.Extra = f.pick("cfg_scale", "steps", "clip_guidance_preset", "sampler", "style_preset", "extras", "init_image_mode", "image_strength")
	for _, p := range prompts {
		if p.Weight != nil && *p.Weight < 0 {
			i.Negative = strings.TrimSpace(i.Negative + "\n" + p.Text)
		} else {
			i.Prompt = strings.TrimSpace(i.Prompt + "\n" + p.Text)
		}
	}
	if i.Prompt == "" {
		return nil, malformed("#/text_prompts: at least one prompt with a text is required")
	}
	if sources(i, image); len(i.Sources) > 0 {
		i.Task = "IMAGE_VARIATION"
	}
	if err := checkImage(i); err != nil {
		return nil, err
	}
	return &Task{Request: &task.Request{Image: i}, Encode: func(a *TaskAnswer) ([]byte, error) {
		artifacts := []any{}
		for _, b := range base64s(a.Response.Images) {
			artifacts = append(artifacts, map[string]any{"seed": i.Seed, "base64": b, "finishReason": "SUCCESS"})
		}
		return json.Marshal(map[string]any{"result": "success", "artifacts": artifacts})
	}}, nil
}
