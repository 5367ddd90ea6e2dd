package safe

import "strings"

// manyLinks is how many links of Windows are followed; it itself gives up at 63.
const manyLinks = 63

// trail are the paths of Windows that lead to file: it, and what each link on the way
// makes of it. The folders of all count: who can change one link of several chooses
// what is run. readlink says where a link leads, as an absolute path.
func trail(file string, readlink func(path string) (target string, ok bool)) []string {
	list := []string{file}
	for range manyLinks {
		next, ok := follow(list[len(list)-1], readlink)
		if !ok {
			break
		}
		list = append(list, next)
	}
	return list
}

// follow replaces the first link of a path by what it leads to.
func follow(path string, readlink func(string) (string, bool)) (next string, ok bool) {
	for i := range len(path) + 1 {
		if i < len(path) && (path[i] != '\\' || strings.Trim(path[:i], `\`) == "") {
			continue
		}
		if target, ok := readlink(path[:i]); ok {
			return strings.TrimRight(target, `\`) + path[i:], true
		}
	}
	return "", false
}
