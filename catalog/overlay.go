package catalog

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"outcrop/internal/strictyaml"
)

// Limits of an overlay folder.
const (
	maxOverlayFiles     = 256
	maxOverlayFileBytes = 1 << 20
)

// An overlay is one file of the overlay folder. It adds rows and changes the
// cells it names (docs/formats/catalog.md). Nil means "as it was".
type overlay struct {
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
// order of their names. An empty dir means no overlay. Files named prices.yaml
// or *.prices.yaml belong to package pricing and are left alone.
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
	if err := frozen(Embedded().destinations(), c); err != nil {
		return nil, fmt.Errorf("overlay %s: %w", dir, err)
	}
	return c, nil
}

func (t *tables) overlayFolder(dir string) error {
	if dir == "" {
		return nil
	}
	files, err := overlayFiles(dir)
	if err != nil {
		return err
	}
	for _, file := range files {
		if err := t.overlayFile(filepath.Join(dir, file)); err != nil {
			return err
		}
	}
	return nil
}

func overlayFiles(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir) // sorted by name
	if err != nil {
		return nil, fmt.Errorf("read overlay folder: %w", err)
	}
	var files []string
	for _, e := range entries {
		name := e.Name()
		ext := filepath.Ext(name)
		base := strings.TrimSuffix(name, ext)
		priceList := base == "prices" || strings.HasSuffix(base, ".prices")
		if e.IsDir() || name[0] == '.' || ext != ".yaml" && ext != ".yml" || priceList {
			continue
		}
		files = append(files, name)
	}
	if len(files) > maxOverlayFiles {
		return nil, fmt.Errorf("overlay folder %s holds %d files; at most %d are read", dir, len(files), maxOverlayFiles)
	}
	return files, nil
}

func (t *tables) overlayFile(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("read overlay: %w", err)
	}
	if info.Size() > maxOverlayFileBytes {
		return fmt.Errorf("overlay %s has %d bytes; at most %d are read", path, info.Size(), maxOverlayFileBytes)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read overlay: %w", err)
	}
	var o overlay
	if err := strictyaml.Decode(path, text, &o, os.LookupEnv); err != nil {
		return err
	}
	if err := t.apply(&o, "overlay:"+filepath.Base(path)); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}
