package contract

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// File is a file of vectors.
type File struct {
	Now    int64
	Groups []Group
}

// Group has the requests that are judged by the same settings.
type Group struct {
	Name     string
	Settings map[string]string
	JWKS     json.RawMessage
	Cases    []struct {
		Name, Method, Target, Body, Status, Reason, Maker string
		Headers                                           [][2]string
		HTTP                                              int
	}
}

// Read reads a file of vectors.
func Read(t testing.TB, path string) File {
	var file File
	if text, err := os.ReadFile(path); err != nil || json.Unmarshal(text, &file) != nil {
		t.Fatal("the vectors cannot be read: ", err)
	}
	return file
}

// Named is one of the groups.
func (f *File) Named(t testing.TB, name string) *Group {
	for at := range f.Groups {
		if f.Groups[at].Name == name {
			return &f.Groups[at]
		}
	}
	t.Fatal("no group is called ", name)
	return nil
}

// Prepared are the settings, with the group's JWKS in a file.
func (g *Group) Prepared(t *testing.T) map[string]string {
	path := filepath.Join(t.TempDir(), "jwks.json")
	if err := os.WriteFile(path, g.JWKS, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, value := range g.Settings {
		if value == "${jwks}" {
			g.Settings[name] = path
		}
	}
	return g.Settings
}
