// Pulumi's Kubernetes provider. The main package of its own module embeds a file that the module does not contain; here
// the file lies beside the program.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/provider"
	"github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/version"
)

func main() {
	schema, err := readSchema()
	if err != nil {
		fmt.Fprintf(os.Stderr, "The schema of the Kubernetes provider was not found (%v). "+
			"Remove the folder that the program is in, then `python3 -m tools.kubernetes_provider` makes it again.\n", err)
		os.Exit(1)
	}
	provider.Serve("kubernetes", version.Version, schema, []byte("{}"))
}

func readSchema() ([]byte, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return os.ReadFile(filepath.Join(filepath.Dir(program), "schema.json"))
}
