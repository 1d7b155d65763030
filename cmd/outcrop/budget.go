package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"

	"outcrop/access"
	"outcrop/budget"
)

type budgetCommand struct {
	List   budgetListCommand   `cmd:"" help:"Show every budget: its limit, what is spent, and what it will come to."`
	Set    budgetSetCommand    `cmd:"" help:"Make a budget, or change one."`
	Delete budgetDeleteCommand `cmd:"" help:"Forget a budget."`
}

type budgetListCommand struct {
	accessCommand
	JSON bool `help:"Write them as JSON." name:"json"`
}

// A spend is an amount as AWS Budgets writes it.
type spend struct{ Amount, Unit string }

// An awsBudget is a budget as AWS Budgets shows it.
type awsBudget struct {
	BudgetName, BudgetType, TimeUnit string
	BudgetLimit                      spend
	CostFilters                      map[string][]string
	CalculatedSpend                  struct {
		ActualSpend     spend
		ForecastedSpend *spend
	}
}

// Run prints a table with bars.
func (b *budgetListCommand) Run(ctx context.Context) error {
	client, err := b.client("")
	if err != nil {
		return err
	}
	account, err := client.Account(ctx)
	if err != nil {
		return err
	}
	var all []awsBudget
	for token := ""; ; {
		in := map[string]any{"AccountId": account}
		if token != "" {
			in["NextToken"] = token
		}
		var out struct {
			Budgets   []awsBudget
			NextToken string
		}
		if err := client.Budgets(ctx, "DescribeBudgets", in, &out); err != nil {
			return err
		}
		if all, token = append(all, out.Budgets...), out.NextToken; token == "" {
			break
		}
	}
	if b.JSON {
		out := json.NewEncoder(os.Stdout)
		out.SetIndent("", "  ")
		return out.Encode(all)
	}
	if len(all) == 0 {
		fmt.Println("There is no budget. Make one: outcrop budget set NAME --limit 100 --tag project=app01 --hard")
		return nil
	}
	return writeBudgets(os.Stdout, all)
}

func writeBudgets(w io.Writer, all []awsBudget) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "BUDGET\tPERIOD\tCOUNTS\tSPENT\tLIMIT\t\tFORECAST")
	for _, b := range all {
		forecast := "-"
		if f := b.CalculatedSpend.ForecastedSpend; f != nil {
			forecast = short(f.Amount)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s %s\t%s\t%s\n", b.BudgetName, strings.ToLower(b.TimeUnit), counts(b.CostFilters),
			short(b.CalculatedSpend.ActualSpend.Amount), short(b.BudgetLimit.Amount), b.BudgetLimit.Unit, bar(b.CalculatedSpend.ActualSpend.Amount, b.BudgetLimit.Amount), forecast)
	}
	return table.Flush()
}

func counts(filters map[string][]string) string {
	var parts []string
	for key, values := range filters {
		for _, v := range values {
			if key == "TagKeyValue" {
				v = strings.Replace(strings.TrimPrefix(v, "user:"), "$", "=", 1)
				parts = append(parts, v)
				continue
			}
			parts = append(parts, strings.ToLower(key)+" "+v)
		}
	}
	if len(parts) == 0 {
		return "everything"
	}
	return strings.Join(parts, ", ")
}

// short cuts an exact amount to what a reader wants to see: two decimals, of
// less than one as many as show two digits.
func short(amount string) string {
	f, err := strconv.ParseFloat(amount, 64)
	if err != nil {
		return amount
	}
	decimals := 2
	if f > 0 && f < 1 {
		decimals += int(-math.Floor(math.Log10(f))) - 1
	}
	return strconv.FormatFloat(f, 'f', decimals, 64)
}

const barCells = 20

// bar draws the part of the limit that is spent.
func bar(spent, limit string) string {
	s, _ := strconv.ParseFloat(spent, 64)
	l, _ := strconv.ParseFloat(limit, 64)
	part := 1.0
	if l > 0 {
		part = s / l
	}
	full := int(math.Round(min(part, 1) * barCells))
	return strings.Repeat("█", full) + strings.Repeat("░", barCells-full) + fmt.Sprintf(" %3.0f %%", part*100)
}

type budgetSetCommand struct {
	accessCommand
	Name      string            `arg:"" help:"Name of the budget."`
	Limit     string            `help:"What may be spent in a period, in dollars or in --unit." required:"" placeholder:"AMOUNT"`
	Unit      string            `help:"USD, tokens, '1K tokens' or requests." default:"USD"`
	Every     string            `help:"daily, monthly, quarterly or annually." enum:"daily,monthly,quarterly,annually" default:"monthly"`
	Window    string            `help:"Count a window that moves instead of a period, such as 24h or 7d." placeholder:"DURATION"`
	Hard      bool              `help:"Refuse calls that may go beyond the limit." xor:"how"`
	Soft      bool              `help:"Only warn (the default of a new budget)." xor:"how"`
	Throttle  bool              `help:"Refuse with ThrottlingException, which SDKs try again, instead of AccessDeniedException."`
	Tag       map[string]string `help:"Count calls of profiles with this tag." placeholder:"KEY=VALUE"`
	Principal []string          `help:"Count calls of this principal." placeholder:"ARN"`
	AccessKey []string          `help:"Count calls with this access key or Bedrock API key." name:"access-key" placeholder:"ID"`
	Profile   []string          `help:"Count calls to this inference profile." placeholder:"ID"`
	Model     []string          `help:"Count calls to this model." placeholder:"ID"`
	InRegion  []string          `help:"Count calls made in this Region." name:"in-region" placeholder:"REGION"`
	Warn      []float64         `help:"Tell --notify when so many percent are spent." placeholder:"PERCENT"`
	Notify    []string          `help:"Who is told: an e-mail address, or the URL of a webhook." placeholder:"ADDRESS"`
}

// Run makes the budget or, when there is one, changes it.
func (b *budgetSetCommand) Run(ctx context.Context) error {
	if (len(b.Warn) > 0) != (len(b.Notify) > 0) {
		return fmt.Errorf("--warn and --notify belong together: how many percent, and who is told")
	}
	client, err := b.client("")
	if err != nil {
		return err
	}
	account, err := client.Account(ctx)
	if err != nil {
		return err
	}
	in := map[string]any{"AccountId": account, "Budget": b.budget(), "ResourceTags": b.tags()}
	if alerts := b.alerts(); len(alerts) > 0 {
		in["NotificationsWithSubscribers"] = alerts
	}
	err = client.Budgets(ctx, "CreateBudget", in, nil)
	if access.CodeOf(err) == "DuplicateRecordException" {
		if len(b.Warn) > 0 {
			return fmt.Errorf("budget %s exists: change who is told with aws budgets create-notification", b.Name)
		}
		return b.change(ctx, client, account)
	}
	if err != nil {
		return err
	}
	fmt.Printf("Budget %s is made: %s %s %s.\n", b.Name, b.Limit, b.Unit, b.Every)
	return nil
}

func (b *budgetSetCommand) change(ctx context.Context, client *access.Client, account string) error {
	if err := client.Budgets(ctx, "UpdateBudget", map[string]any{"AccountId": account, "NewBudget": b.budget()}, nil); err != nil {
		return err
	}
	if tags := b.tags(); len(tags) > 0 {
		in := map[string]any{"ResourceARN": "arn:aws:budgets::" + account + ":budget/" + b.Name, "ResourceTags": tags}
		if err := client.Budgets(ctx, "TagResource", in, nil); err != nil {
			return err
		}
	}
	fmt.Printf("Budget %s is changed: %s %s %s.\n", b.Name, b.Limit, b.Unit, b.Every)
	return nil
}

func (b *budgetSetCommand) budget() map[string]any {
	kind := "COST"
	if b.Unit != budget.UnitDollars {
		kind = "USAGE"
	}
	filters := map[string][]string{}
	for k, v := range b.Tag {
		filters["TagKeyValue"] = append(filters["TagKeyValue"], "user:"+k+"$"+v)
	}
	for key, values := range map[string][]string{"Principal": b.Principal, "AccessKey": b.AccessKey, "Profile": b.Profile, "Model": b.Model, "Region": b.InRegion} {
		if len(values) > 0 {
			filters[key] = values
		}
	}
	return map[string]any{"BudgetName": b.Name, "BudgetType": kind, "TimeUnit": strings.ToUpper(b.Every),
		"BudgetLimit": spend{b.Limit, b.Unit}, "CostFilters": filters}
}

func (b *budgetSetCommand) tags() []map[string]string {
	tags := []map[string]string{}
	add := func(key, value string) { tags = append(tags, map[string]string{"Key": key, "Value": value}) }
	switch {
	case b.Hard:
		add(budget.TagEnforce, "hard")
	case b.Soft:
		add(budget.TagEnforce, "soft")
	}
	if b.Throttle {
		add(budget.TagRefusal, "throttle")
	}
	if b.Window != "" {
		add(budget.TagWindow, b.Window)
	}
	return tags
}

func (b *budgetSetCommand) alerts() (all []map[string]any) {
	var who []map[string]string
	for _, address := range b.Notify {
		kind := "EMAIL"
		if strings.Contains(address, "://") {
			kind = "SNS"
		}
		who = append(who, map[string]string{"SubscriptionType": kind, "Address": address})
	}
	for _, percent := range b.Warn {
		all = append(all, map[string]any{"Subscribers": who, "Notification": map[string]any{
			"NotificationType": "ACTUAL", "ComparisonOperator": "GREATER_THAN", "Threshold": percent, "ThresholdType": "PERCENTAGE"}})
	}
	return all
}

type budgetDeleteCommand struct {
	accessCommand
	Name string `arg:"" help:"Name of the budget."`
}

// Run forgets one budget.
func (b *budgetDeleteCommand) Run(ctx context.Context) error {
	client, err := b.client("")
	if err != nil {
		return err
	}
	account, err := client.Account(ctx)
	if err != nil {
		return err
	}
	if err := client.Budgets(ctx, "DeleteBudget", map[string]any{"AccountId": account, "BudgetName": b.Name}, nil); err != nil {
		return err
	}
	fmt.Printf("Budget %s is gone.\n", b.Name)
	return nil
}
