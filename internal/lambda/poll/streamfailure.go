package poll

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/butai-dev/butai/internal/function/catalog"
	"github.com/butai-dev/butai/internal/ident"
)

// failureRecord tells a destination about a batch that was given up; the order
// of its members is AWS's.
type failureRecord struct {
	Request   failedRequest   `json:"requestContext"`
	Response  *failedResponse `json:"responseContext,omitzero"`
	Version   string          `json:"version"`
	Timestamp string          `json:"timestamp"`
	Batch     batchInfo       `json:"DDBStreamBatchInfo"`
	Payload   string          `json:"payload,omitzero"`
}

type failedRequest struct {
	ID        string `json:"requestId"`
	Function  string `json:"functionArn"`
	Condition string `json:"condition"`
	Attempts  int    `json:"approximateInvokeCount"`
}

type failedResponse struct {
	Status  int     `json:"statusCode"`
	Version string  `json:"executedVersion"`
	Error   *string `json:"functionError"`
}

type batchInfo struct {
	Shard  string `json:"shardId"`
	First  string `json:"startSequenceNumber"`
	Last   string `json:"endSequenceNumber"`
	Oldest string `json:"approximateArrivalOfFirstRecord"`
	Newest string `json:"approximateArrivalOfLastRecord"`
	Size   int    `json:"batchSize"`
	Stream string `json:"streamArn"`
}

const instant = "2006-01-02T15:04:05.000Z"

// giveUp drops a batch, and tells the mapping's destination. That is tried
// until it works: the checkpoint stays until then.
func (r *reader) giveUp(ctx context.Context, batch []Record, condition string, attempts int, out *catalog.Outcome) {
	r.Log.Info("records dropped", "source", r.Source, "function", r.FunctionARN, "reason", condition, "records", len(batch))
	if !r.OnFailure {
		return
	}
	first, last := batch[0], batch[len(batch)-1]
	rec := failureRecord{
		Request: failedRequest{ident.UUID(), r.FunctionARN, condition, attempts}, Version: "1.0", Timestamp: r.Clock.Now().UTC().Format(instant),
		Batch: batchInfo{r.shard, first.Sequence, last.Sequence, first.At.UTC().Format(instant), last.At.UTC().Format(instant), len(batch), r.Source},
	}
	if out != nil {
		rec.Request.ID = out.RequestID
		rec.Response = &failedResponse{Status: http.StatusOK, Version: out.ExecutedVersion}
		if out.FunctionError != "" {
			rec.Response.Error = &out.FunctionError
		}
	}
	text, err := json.Marshal(&rec)
	if err != nil {
		r.Log.Error("write the record of a batch", "error", err)
		return
	}
	for tries := 0; ; tries++ {
		err := r.Failed(ctx, r.shard, text, eventOf(batch))
		if err == nil || ctx.Err() != nil {
			return
		}
		r.Log.Warn("the record of a batch could not be sent", "source", r.Source, "error", err)
		if !pause(ctx, tries) {
			return
		}
	}
}
