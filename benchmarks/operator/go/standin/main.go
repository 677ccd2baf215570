// The analyzer's stand-in for measuring the operator: it starts at once and "analyses" for one second.
//
// `standin extract` ends immediately, `standin analyze` after a second; both leave the termination message that the
// operator expects. The summary of the result holds the time of the exit, for containers' own times are whole seconds.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"
)

const (
	terminationMessagePath = "/dev/termination-log"
	analysisTakes          = time.Second
)

var digest = strings.Repeat("ab", 32)

func main() {
	message := map[string]any{
		"document": map[string]any{"sha256": digest, "bytes": 10, "pages": 3, "language": "en"},
	}
	if len(os.Args) > 1 && os.Args[1] == "analyze" {
		time.Sleep(analysisTakes)
		message = analysed()
	}
	text, err := json.Marshal(message)
	if err == nil {
		err = os.WriteFile(terminationMessagePath, text, 0o644)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func analysed() map[string]any {
	now := float64(time.Now().UnixMicro()) / 1e6
	return map[string]any{
		"result": map[string]any{
			"contractType": "Lease", "riskLevel": "Medium", "riskScore": 9, "engine": "rules",
			"findings": map[string]any{"medium": 2, "total": 2},
			"summary":  fmt.Sprintf("exit %.6f", now),
			"report":   map[string]any{"key": os.Getenv("DEALGUARD_REPORT_KEY"), "sha256": digest},
		},
		"usage": map[string]any{"inputTokens": 100, "outputTokens": 10, "costUSD": "0.01"},
	}
}
