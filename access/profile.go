package access

import (
	"context"
	"fmt"
	"net/url"

	"outcrop"
)

// Target describes an inference profile as the server resolves it for this
// client's account and Region.
func (c *Client) Target(ctx context.Context, id string) (*outcrop.Target, error) {
	var out struct {
		ARN    outcrop.ARN         `json:"inferenceProfileArn"`
		ID     string              `json:"inferenceProfileId"`
		Name   string              `json:"inferenceProfileName"`
		Type   outcrop.ProfileKind `json:"type"`
		Models []struct {
			ARN outcrop.ARN `json:"modelArn"`
		} `json:"models"`
	}
	if err := c.bedrock(ctx, "GET", "/inference-profiles/"+url.PathEscape(id), nil, &out); err != nil {
		return nil, fmt.Errorf("find profile %s: %w", id, err)
	}
	p := &outcrop.InferenceProfile{ARN: out.ARN, ID: out.ID, Name: out.Name, Kind: out.Type}
	for _, m := range out.Models {
		p.Models = append(p.Models, m.ARN)
		at := m.ARN.Parts()
		p.Model = outcrop.ModelID(at.ResourceID())
		if at.Region == "" { // only global profiles list their model without one
			p.Geography = outcrop.GlobalGeography
			continue
		}
		p.Destinations = append(p.Destinations, outcrop.Destination{Region: at.Region, Model: p.Model})
	}
	if p.Geography == "" && len(p.Destinations) > 1 {
		p.Geography = severalRegions
	}
	if p.Kind == outcrop.Application {
		if err := c.readTags(ctx, p); err != nil {
			return nil, err
		}
	}
	return &outcrop.Target{
		Profile: p, Model: outcrop.FoundationModel{ID: p.Model}, Region: p.ARN.Parts().Region,
		Geography: p.Geography, Destinations: p.Destinations,
	}, nil
}

// severalRegions stands for a geography whose name does not matter here: what
// is asked before an invocation follows from the destinations.
const severalRegions outcrop.Geography = "several"

func (c *Client) readTags(ctx context.Context, p *outcrop.InferenceProfile) error {
	var out struct {
		Tags []struct{ Key, Value string } `json:"tags"`
	}
	in := map[string]any{"resourceARN": p.ARN}
	if err := c.bedrock(ctx, "POST", "/listTagsForResource", in, &out); err != nil {
		return fmt.Errorf("read tags of %s: %w", p.ARN, err)
	}
	p.Tags = outcrop.Tags{}
	for _, t := range out.Tags {
		p.Tags[t.Key] = t.Value
	}
	return nil
}
