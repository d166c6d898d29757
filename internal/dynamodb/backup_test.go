package dynamodb_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	recoveryOn  = `{"TableName":"tab","PointInTimeRecoverySpecification":{"PointInTimeRecoveryEnabled":true}}`
	recoveryOff = `{"TableName":"tab","PointInTimeRecoverySpecification":{"PointInTimeRecoveryEnabled":false}}`
)

// recovery is what DescribeContinuousBackups tells of a table.
func (s *server) recovery(name string) (status string, days int, earliest, latest float64) {
	s.t.Helper()
	var d struct {
		ContinuousBackupsDescription struct {
			ContinuousBackupsStatus        string
			PointInTimeRecoveryDescription struct {
				PointInTimeRecoveryStatus                            string
				RecoveryPeriodInDays                                 int
				EarliestRestorableDateTime, LatestRestorableDateTime float64
			}
		}
	}
	if err := json.Unmarshal([]byte(s.ok("DescribeContinuousBackups", `{"TableName":"`+name+`"}`)), &d); err != nil {
		s.t.Fatal(err)
	}
	p := d.ContinuousBackupsDescription.PointInTimeRecoveryDescription
	return p.PointInTimeRecoveryStatus, p.RecoveryPeriodInDays, p.EarliestRestorableDateTime, p.LatestRestorableDateTime
}

func TestContinuousBackups(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.table()
	const off = `{"ContinuousBackupsDescription":{"ContinuousBackupsStatus":"ENABLED","PointInTimeRecoveryDescription":{"PointInTimeRecoveryStatus":"DISABLED"}}}`
	s.gives("DescribeContinuousBackups", `{"TableName":"tab"}`, off)
	s.gives("UpdateContinuousBackups", recoveryOff, off)
	s.fails("DescribeContinuousBackups", `{"TableName":"two"}`, "TableNotFoundException", "Table not found: two")
	s.fails("UpdateContinuousBackups", strings.Replace(recoveryOn, "tab", "two", 1), "TableNotFoundException", "Table not found: two")

	began := s.clock.Now()
	s.ok("UpdateContinuousBackups", recoveryOn)
	s.clock.Advance(time.Hour)
	status, days, earliest, latest := s.recovery("tab")
	if status != "ENABLED" || days != 35 || int64(earliest) != began.Unix() || int64(latest) != began.Add(time.Hour).Unix() {
		t.Errorf("%s %d days %v - %v", status, days, earliest, latest)
	}
	s.ok("UpdateContinuousBackups", `{"TableName":"tab","PointInTimeRecoverySpecification":{"PointInTimeRecoveryEnabled":true,"RecoveryPeriodInDays":2}}`)
	s.clock.Advance(3 * 24 * time.Hour)
	if _, days, earliest, _ := s.recovery("tab"); days != 2 || int64(earliest) != began.Add(25*time.Hour).Unix() {
		t.Errorf("%d days from %v", days, earliest)
	}
	s.gives("UpdateContinuousBackups", recoveryOff, off)
}

// active polls until a table is ACTIVE.
func (s *server) active(name string) {
	s.t.Helper()
	eventually(s.t, name+" is ACTIVE", func() bool { return s.describe(name).Table.TableStatus == "ACTIVE" })
}

func TestRestoreToPointInTime(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.table()
	fill(s)
	const restore = `{"SourceTableName":"tab","TargetTableName":"was",%s}`
	s.fails("RestoreTableToPointInTime", fmt.Sprintf(restore, `"UseLatestRestorableTime":true`), "PointInTimeRecoveryUnavailableException",
		"Point in time recovery is not enabled for table 'tab'")
	s.ok("UpdateContinuousBackups", recoveryOn)
	before := s.keys("Scan", `{"TableName":"tab"}`)
	s.clock.Advance(10 * time.Second)
	moment := s.clock.Now().Unix()
	s.clock.Advance(10 * time.Second)
	s.ok("DeleteItem", `{"TableName":"tab","Key":{"pk":{"S":"q"},"sk":{"N":"7"}}}`)
	s.ok("PutItem", `{"TableName":"tab","Item":{"pk":{"S":"q"},"sk":{"N":"8"},"g":{"S":"x"}}}`)
	for _, v := range []string{"later", "last"} {
		s.ok("UpdateItem", `{"TableName":"tab","Key":{"pk":{"S":"p"},"sk":{"N":"-10"}},"UpdateExpression":"SET v = :v, g = :v","ExpressionAttributeValues":{":v":{"S":"`+v+`"}}}`)
	}

	for _, bad := range []int64{moment - 60, moment + 60} {
		s.fails("RestoreTableToPointInTime", fmt.Sprintf(restore, fmt.Sprintf(`"RestoreDateTime":%d`, bad)), "InvalidRestoreTimeException",
			"RestoreDateTime must be between EarliestRestorableDateTime and LatestRestorableDateTime")
	}
	out := s.ok("RestoreTableToPointInTime", fmt.Sprintf(restore, fmt.Sprintf(`"RestoreDateTime":%d`, moment)))
	for _, part := range []string{`"TableStatus":"CREATING"`, `"RestoreInProgress":true`, `"SourceTableArn":"arn:aws:dynamodb:eu-west-1:111122223333:table/tab"`} {
		if !strings.Contains(out, part) {
			t.Errorf("%s lacks %s", out, part)
		}
	}
	// Run isn't at work yet, so the table is still being made.
	s.fails("GetItem", `{"TableName":"was","Key":{"pk":{"S":"p"},"sk":{"N":"0"}}}`, "ResourceNotFoundException", "Requested resource not found")
	s.fails("DeleteTable", `{"TableName":"was"}`, "ResourceInUseException", "Attempt to change a resource which is still in use: Table is being created: was")
	s.fails("DeleteTable", `{"TableName":"tab"}`, "ResourceInUseException", "Attempt to change a resource which is still in use: Table is being backed up or restored from: tab")
	s.fails("RestoreTableToPointInTime", fmt.Sprintf(restore, `"UseLatestRestorableTime":true`), "TableAlreadyExistsException", "Table already exists: was")
	s.run()
	s.active("was")

	if got := s.keys("Scan", `{"TableName":"was"}`); got != before {
		t.Errorf("restored %s, was %s", got, before)
	}
	s.gives("GetItem", `{"TableName":"was","Key":{"pk":{"S":"p"},"sk":{"N":"-10"}},"ProjectionExpression":"v, g"}`, `{"Item":{"v":{"S":"v0"},"g":{"S":"x"}}}`)
	const index = `{"TableName":"%s","IndexName":"gsi","KeyConditionExpression":"g = :g","ExpressionAttributeValues":{":g":{"S":"x"}}}`
	if was, is := s.keys("Query", fmt.Sprintf(index, "was")), s.keys("Query", fmt.Sprintf(index, "tab")); was != "-10 -5 7 10" || is != "-5 8 10" {
		t.Errorf("index was %s, is %s", was, is)
	}

	s.ok("RestoreTableToPointInTime", `{"SourceTableArn":"arn:aws:dynamodb:eu-west-1:111122223333:table/tab","TargetTableName":"now","UseLatestRestorableTime":true,"GlobalSecondaryIndexOverride":[]}`)
	s.active("now")
	if got, want := s.keys("Scan", `{"TableName":"now"}`), s.keys("Scan", `{"TableName":"tab"}`); got != want {
		t.Errorf("restored %s, is %s", got, want)
	}
	if d := s.describe("now").Table; len(d.GlobalSecondaryIndexes) != 0 || len(d.AttributeDefinitions) != 3 {
		t.Errorf("%+v", d)
	}
}

// TestHistoryIsForgotten looks at what can be restored after days, and after
// recovery was off.
func TestHistoryIsForgotten(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.table()
	s.ok("UpdateContinuousBackups", `{"TableName":"tab","PointInTimeRecoverySpecification":{"PointInTimeRecoveryEnabled":true,"RecoveryPeriodInDays":1}}`)
	fill(s)
	s.clock.Advance(48 * time.Hour)
	s.ok("DeleteItem", `{"TableName":"tab","Key":{"pk":{"S":"q"},"sk":{"N":"7"}}}`)
	remembered := func(n int) func() bool {
		return func() bool {
			got, err := s.service.Remembered(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			return got == n
		}
	}
	if !remembered(8)() {
		t.Error("not every change is remembered")
	}
	s.run()
	eventually(t, "old changes are forgotten", remembered(1))
	s.ok("UpdateContinuousBackups", recoveryOff)
	eventually(t, "all changes are forgotten", remembered(0))
	s.ok("UpdateContinuousBackups", recoveryOn)
	if _, _, earliest, latest := s.recovery("tab"); earliest != latest {
		t.Errorf("restorable from %v to %v", earliest, latest)
	}
}

type backupDetails struct {
	BackupArn, BackupName, BackupStatus, BackupType string
	BackupSizeBytes                                 int
	BackupExpiryDateTime                            float64
}

func (s *server) backups(body string) (list []backupDetails, last string) {
	s.t.Helper()
	var out struct {
		BackupSummaries        []backupDetails
		LastEvaluatedBackupArn string
	}
	if err := json.Unmarshal([]byte(s.ok("ListBackups", body)), &out); err != nil {
		s.t.Fatal(err)
	}
	return out.BackupSummaries, out.LastEvaluatedBackupArn
}

func (s *server) createBackup(table, name string) string {
	s.t.Helper()
	var out struct{ BackupDetails backupDetails }
	if err := json.Unmarshal([]byte(s.ok("CreateBackup", `{"TableName":"`+table+`","BackupName":"`+name+`"}`)), &out); err != nil {
		s.t.Fatal(err)
	}
	if d := out.BackupDetails; d.BackupStatus != "CREATING" || d.BackupType != "USER" || d.BackupName != name {
		s.t.Errorf("%+v", d)
	}
	return out.BackupDetails.BackupArn
}

func TestBackup(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.table()
	fill(s)
	was := s.keys("Scan", `{"TableName":"tab"}`)
	s.fails("CreateBackup", `{"TableName":"two","BackupName":"one"}`, "TableNotFoundException", "Table not found: two")
	arn := s.createBackup("tab", "one")
	s.ok("DeleteItem", `{"TableName":"tab","Key":{"pk":{"S":"q"},"sk":{"N":"7"}}}`)
	s.ok("PutItem", `{"TableName":"tab","Item":{"pk":{"S":"q"},"sk":{"N":"8"}}}`)
	s.fails("DeleteBackup", `{"BackupArn":"`+arn+`"}`, "BackupInUseException", "Backup is being created or restored from: "+arn)
	s.clock.Advance(time.Second)
	second := s.createBackup("tab", "two")
	s.run()
	eventually(t, "backups are there", func() bool {
		all, _ := s.backups(`{"TableName":"tab"}`)
		return len(all) == 2 && all[0].BackupStatus == "AVAILABLE" && all[1].BackupStatus == "AVAILABLE" && all[0].BackupSizeBytes > 0
	})
	page, last := s.backups(`{"Limit":1}`)
	if len(page) != 1 || page[0].BackupArn != arn || last != arn {
		t.Errorf("%+v %s", page, last)
	}
	if rest, last := s.backups(`{"Limit":1,"ExclusiveStartBackupArn":"` + last + `"}`); len(rest) != 1 || rest[0].BackupArn != second || last != "" {
		t.Errorf("%+v %s", rest, last)
	}
	if none, _ := s.backups(`{"BackupType":"SYSTEM"}`); len(none) != 0 {
		t.Errorf("%+v", none)
	}

	s.ok("DeleteTable", `{"TableName":"tab"}`)
	s.ok("RestoreTableFromBackup", `{"TargetTableName":"tab","BackupArn":"`+arn+`","BillingModeOverride":"PROVISIONED","ProvisionedThroughputOverride":{"ReadCapacityUnits":3,"WriteCapacityUnits":3},
		"GlobalSecondaryIndexOverride":[{"IndexName":"gsi","KeySchema":[{"AttributeName":"g","KeyType":"HASH"},{"AttributeName":"sk","KeyType":"RANGE"}],"Projection":{"ProjectionType":"INCLUDE","NonKeyAttributes":["v"]},"ProvisionedThroughput":{"ReadCapacityUnits":1,"WriteCapacityUnits":1}}]}`)
	s.active("tab")
	if got := s.keys("Scan", `{"TableName":"tab"}`); got != was {
		t.Errorf("restored %s, was %s", got, was)
	}
	if d := s.describe("tab").Table; d.ProvisionedThroughput.ReadCapacityUnits != 3 || d.GlobalSecondaryIndexes[0].ItemCount != 5 {
		t.Errorf("%+v", d)
	}
	s.fails("RestoreTableFromBackup", `{"TargetTableName":"other","BackupArn":"`+arn+`","LocalSecondaryIndexOverride":[{"IndexName":"new","KeySchema":[{"AttributeName":"pk","KeyType":"HASH"},{"AttributeName":"l","KeyType":"RANGE"}],"Projection":{"ProjectionType":"ALL"}}]}`,
		"ValidationException", "One or more parameter values were invalid: LocalSecondaryIndexOverride: an index isn't one of the source's")

	if out := s.ok("DeleteBackup", `{"BackupArn":"`+arn+`"}`); !strings.Contains(out, `"BackupStatus":"DELETED"`) || !strings.Contains(out, `"ItemCount":7`) {
		t.Error(out)
	}
	s.fails("DescribeBackup", `{"BackupArn":"`+arn+`"}`, "BackupNotFoundException", "Backup not found: "+arn)
	s.fails("RestoreTableFromBackup", `{"TargetTableName":"other","BackupArn":"`+arn+`"}`, "BackupNotFoundException", "Backup not found: "+arn)
}

// TestDeletedTableBackup deletes a table with point-in-time recovery, which
// leaves a backup for 35 days.
func TestDeletedTableBackup(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.table()
	s.ok("UpdateContinuousBackups", recoveryOn)
	fill(s)
	was := s.keys("Scan", `{"TableName":"tab"}`)
	s.ok("DeleteTable", `{"TableName":"tab"}`)
	s.run()
	var left []backupDetails
	eventually(t, "the backup is counted", func() bool {
		left, _ = s.backups(`{"BackupType":"SYSTEM"}`)
		return len(left) == 1 && left[0].BackupStatus == "AVAILABLE"
	})
	if left[0].BackupName != "tab$DeletedTableBackup" || left[0].BackupSizeBytes == 0 || int64(left[0].BackupExpiryDateTime) != s.clock.Now().Add(35*24*time.Hour).Unix() {
		t.Errorf("%+v", left[0])
	}
	s.ok("RestoreTableFromBackup", `{"TargetTableName":"tab","BackupArn":"`+left[0].BackupArn+`"}`)
	s.active("tab")
	if got := s.keys("Scan", `{"TableName":"tab"}`); got != was {
		t.Errorf("restored %s, was %s", got, was)
	}
	s.clock.Advance(36 * 24 * time.Hour)
	s.createBackup("tab", "another") // which wakes Run up
	eventually(t, "the backup is over", func() bool {
		left, _ := s.backups(`{"BackupType":"SYSTEM"}`)
		return len(left) == 0
	})
}

// TestBackupIsOneMoment takes a backup while money moves between accounts: none
// may be lost or made in the copy.
func TestBackupIsOneMoment(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.simple()
	const accounts, each = 300, 100
	for i := range accounts {
		s.ok("PutItem", fmt.Sprintf(`{"TableName":"one","Item":{"id":{"S":"%d"},"n":{"N":"%d"}}}`, i, each))
	}
	s.run()
	stop := make(chan struct{})
	var movers sync.WaitGroup
	for m := range 2 {
		movers.Go(func() {
			for i := m; ; i += 7 {
				select {
				case <-stop:
					return
				default:
				}
				move := func(id, by int) string {
					return fmt.Sprintf(`{"Update":{"TableName":"one","Key":{"id":{"S":"%d"}},"UpdateExpression":"ADD n :d","ExpressionAttributeValues":{":d":{"N":"%d"}}}}`, id%accounts, by)
				}
				if status, out := s.call("TransactWriteItems", `{"TransactItems":[`+move(i, -1)+","+move(i+accounts/2, 1)+`]}`); status != 200 && !strings.Contains(out, "TransactionC") {
					t.Errorf("%d %s", status, out)
					return
				}
			}
		})
	}
	arn := s.createBackup("one", "running")
	eventually(t, "the backup is there", func() bool {
		all, _ := s.backups(`{}`)
		return all[0].BackupStatus == "AVAILABLE"
	})
	close(stop)
	movers.Wait()
	s.ok("RestoreTableFromBackup", `{"TargetTableName":"copy","BackupArn":"`+arn+`"}`)
	s.active("copy")
	var out struct {
		Items []struct{ N struct{ N json.Number } }
	}
	if err := json.Unmarshal([]byte(s.ok("Scan", `{"TableName":"copy"}`)), &out); err != nil {
		t.Fatal(err)
	}
	sum := int64(0)
	for _, it := range out.Items {
		n, err := it.N.N.Int64()
		if err != nil {
			t.Fatal(err)
		}
		sum += n
	}
	if len(out.Items) != accounts || sum != accounts*each {
		t.Errorf("%d accounts hold %d, want %d with %d", len(out.Items), sum, accounts, accounts*each)
	}
}
