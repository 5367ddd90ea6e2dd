//go:build linux

package scenario

import "strconv"

// words are arguments and values that somebody between the command line and the program
// may want to understand: a shell, the manager, this library.
var words = []string{
	"plain",
	"two words",
	"  leads and trails  ",
	"\ta tab\tand another\t",
	"",
	`"double"`,
	`it's 'single'`,
	`%h %%h %i %n %N %% 100%`,
	`$HOME ${HOME} $$ $(id) $1 ${ $`,
	"`id` and \\`id\\`",
	`back\slash\\es \n \t \x41 \u00e9 \101`,
	`ends in \`,
	`ends in \\`,
	`ends in \"`,
	`Ünï côdé 日本語 🎈`,
	`a;b & c | d <e >f * ? [g] {h,i} ~ !j`,
	`# no comment`,
	`; nor this`,
	`@at +plus !bang :colon -dash |pipe`,
	`=, key="value" 'and more'=1`,
	`--`,
	`-x`,
	`--install`,
	`install`,
	`EOF`,
	`{{.Name}} {{"x"}}`,
	`^caret^ %PATH% !PATH!`,
}

// wordy are the words as arguments of a program with the parser of package flag.
func wordy() []string {
	var args []string
	for _, w := range words {
		args = append(args, "-word", w)
	}
	return args
}

// wordyEnvironment is an environment of the words.
func wordyEnvironment() map[string]string {
	environment := map[string]string{}
	for i, w := range words {
		environment["WORD_"+strconv.Itoa(i)] = w
	}
	return environment
}
