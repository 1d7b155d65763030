package catalog

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"outcrop/internal/overlay"
	"outcrop/internal/strictyaml"
)

// entries are the files of the overlay folder that are the catalogue's; those
// named prices.yaml or *.prices.yaml belong to package pricing.
var entries = overlay.Kind{
	Name:     "catalogue overlay",
	Mine:     func(base string) bool { return base != "prices" && !strings.HasSuffix(base, ".prices") },
	MaxFiles: 256, MaxBytes: 1 << 20,
}

// An entryFile is one file of the overlay folder. It adds rows and changes the
// cells it names (docs/formats/catalog.md). Nil means "as it was".
type entryFile struct {
	Regions  map[string]regionEntry  `yaml:"regions"`
	Models   map[string]modelEntry   `yaml:"models"`
	Profiles map[string]profileEntry `yaml:"profiles"`
}

type regionEntry struct {
	Name                *string `yaml:"name"`
	Geography           *string `yaml:"geography"`
	Partition           *string `yaml:"partition"`
	OptIn               *bool   `yaml:"optIn"`
	ControlPlane        *bool   `yaml:"controlPlane"`
	ApplicationProfiles *bool   `yaml:"applicationProfiles"`
	Global              *bool   `yaml:"global"`
}

type modelEntry struct {
	Name           *string   `yaml:"name"`
	Provider       *string   `yaml:"provider"`
	Input          *[]string `yaml:"input"`
	Output         *[]string `yaml:"output"`
	Customizations *[]string `yaml:"customizations"`
	InferenceTypes *[]string `yaml:"inferenceTypes"`
	Streaming      *bool     `yaml:"streaming"`
	Status         *string   `yaml:"status"`
	Start          *string   `yaml:"start"`
	Legacy         *string   `yaml:"legacy"`
	Extended       *string   `yaml:"extended"`
	End            *string   `yaml:"end"`
	Regions        []string  `yaml:"regions"` // added to those it has
	Context        *uint64   `yaml:"context"`
	MaxOutput      *uint64   `yaml:"maxOutput"`
	Burndown       *uint64   `yaml:"burndown"`
	CacheMinimum   *uint64   `yaml:"cacheMinimum"`
	QuotaRequests  *uint64   `yaml:"quotaRequests"` // per minute, across Regions
	QuotaTokens    *uint64   `yaml:"quotaTokens"`
	Retired        *bool     `yaml:"retired"`
}

type profileEntry struct {
	Name    *string                `yaml:"name"`
	Label   *string                `yaml:"label"`
	Retired *bool                  `yaml:"retired"`
	Sources map[string]sourceEntry `yaml:"sources"`
}

type sourceEntry struct {
	Destinations []string `yaml:"destinations"`
	Name         *string  `yaml:"name"`
	Description  *string  `yaml:"description"`
	Created      *string  `yaml:"created"`
	Updated      *string  `yaml:"updated"`
}

// Load reads the embedded data and lays the YAML files of dir over it in the
// order of their names. An empty dir means no overlay.
func Load(dir string, opts ...Option) (*Catalog, error) {
	if dir == "" && len(opts) == 0 {
		return Embedded(), nil
	}
	var opt options
	for _, set := range opts {
		set(&opt)
	}
	t, err := parseEmbedded()
	if err != nil {
		return nil, err
	}
	if err := t.overlayFolder(dir); err != nil {
		return nil, err
	}
	c, err := t.build(opt)
	if err != nil {
		return nil, fmt.Errorf("overlay %s: %w", dir, err)
	}
	if err := frozen(Embedded().regionsOf(), c); err != nil {
		return nil, fmt.Errorf("overlay %s: %w", dir, err)
	}
	return c, nil
}

func (t *tables) overlayFolder(dir string) error {
	files, err := entries.Files(dir)
	if err != nil {
		return err
	}
	for _, file := range files {
		if err := t.overlayFile(file); err != nil {
			return err
		}
	}
	return nil
}

func (t *tables) overlayFile(path string) error {
	text, err := entries.Read(path)
	if err != nil {
		return err
	}
	var f entryFile
	if err := strictyaml.Decode(path, text, &f, os.LookupEnv); err != nil {
		return err
	}
	if err := t.apply(&f, "overlay:"+filepath.Base(path)); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}
