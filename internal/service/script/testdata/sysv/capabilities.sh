#!/bin/sh
# Made by Glidepath; install overwrites it.
# /etc/default/web stays as it is: the service gets what it exports.
# Start: automatic
#
# chkconfig: 2345 80 20
# description: serves
### BEGIN INIT INFO
# Provides:          web
# Required-Start:    $remote_fs $syslog
# Required-Stop:     $remote_fs $syslog
# Default-Start:     2 3 4 5
# Default-Stop:      0 1 6
# Short-Description: web
# Description:       serves
### END INIT INFO

name=web
program=/opt/web/web
account=web
group=web
directory=/var/lib/web
log=/var/log/web/web.out
folders='/var/lib/web /var/cache/web /var/log/web /run/web'
privileges='--no-new-privs --inh-caps -all,+net_admin,+net_raw --ambient-caps -all,+net_admin,+net_raw --bounding-set -all,+net_admin,+net_raw'
patience=35 # seconds that a stop may take
disabled=

# launch runs the program in place of this shell.
launch() {
	umask 0077
	export HOME=/var/lib/web USER=web LOGNAME=web
	export CACHE_DIRECTORY=/var/cache/web
	export CONFIGURATION_DIRECTORY=/etc/web
	export LOGS_DIRECTORY=/var/log/web
	export LOG_TARGET=syslog
	export RUNTIME_DIRECTORY=/run/web
	export STATE_DIRECTORY=/var/lib/web
	# shellcheck disable=SC1090 # it need not exist
	[ ! -r "/etc/default/$name" ] || . "/etc/default/$name"
	set -- "$program"
	become /bin/sh -c "$in_place" sh "$directory" "$log" "$@"
}

# The same environment, whoever runs this.
[ "${GLIDEPATH_CLEAN-}" ] || exec env -i GLIDEPATH_CLEAN=1 \
	PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin /bin/sh "$0" "$@"
unset GLIDEPATH_CLEAN
umask 022 # everybody may ask for the status

pidfile=/run/$name.pid # two lines: the process, and when it began, so that no other is taken for it
lock=/run/$name.lock

fail() {
	code=$1
	shift
	echo "$name: $*" >&2
	exit "$code"
}

# lock_up lets one at a time start and stop. Who may open the file may keep it locked,
# so that nobody but root may.
lock_up() {
	if command -v flock >/dev/null; then
		umask 077
		exec 9>"$lock"
		umask 022
		flock 9
		return
	fi
	until mkdir "$lock.d" 2>/dev/null; do
		holder=$(cat "$lock.d/pid" 2>/dev/null)
		[ -z "$holder" ] || kill -0 "$holder" 2>/dev/null || rm -rf "$lock.d"
		sleep 1
	done
	echo $$ >"$lock.d/pid"
	trap 'rm -rf "$lock.d"' EXIT
}

# began says when a process began, and fails if it has ended.
began() {
	stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
	# shellcheck disable=SC2086 # these are numbers, after a name in brackets
	set -- ${stat##*) }
	[ "$1" != Z ] && [ "$1" != X ] && echo "${20}"
}

# running sets pid.
running() {
	pid='' since=''
	[ -r "$pidfile" ] || return 1
	{
		read -r pid
		read -r since
	} <"$pidfile"
	case $pid in
	'' | *[!0-9]*) return 1 ;;
	esac
	now=$(began "$pid") || return 1
	if [ -z "$since" ]; then # not written by this script
		[ "$(readlink "/proc/$pid/exe")" = "$(readlink -f "$program")" ]
		return
	fi
	[ "$now" = "$since" ]
}

nap() { sleep 0.1 2>/dev/null || sleep 1; }

uptime() {
	read -r up _ </proc/uptime
	echo "${up%%.*}"
}

# become runs a command as the account, in place of this shell.
become() {
	if [ "$account" = root ]; then
		exec "$@"
	fi
	if setpriv --help 2>&1 | grep -q -e --reuid; then
		# shellcheck disable=SC2086 # several words, or none
		exec setpriv --reuid "$(id -u "$account")" --regid "$(id -g "$account")" --init-groups $privileges -- "$@"
	fi
	if command -v start-stop-daemon >/dev/null; then
		program=$1
		shift
		exec start-stop-daemon -S -q -c "$account:$group" -p "$pidfile.none" -x "$program" -- "$@"
	fi
	exec chroot --userspec="$account:$group" / "$@"
}

# in_place opens the log as the account: it owns that folder, and could lead root astray.
in_place='cd "$1" || exit 1
	log=$2
	shift 2
	exec >>"$log" 2>&1 || exit 1
	if command -v setsid >/dev/null; then exec setsid "$@"; fi
	exec "$@"'

# adopt gives a folder to the account, with all in it that belonged to its former owner.
# Where find has -execdir, links that one of the two puts in the way lead nowhere.
adopt() {
	owner=$(stat -c %u "$1") && wanted=$(id -u "$account") || return 1
	[ "$owner" != "$wanted" ] || return 0
	if [ "$owner" != 0 ]; then # in a folder such as /tmp, anybody can have made it
		case $(ls -ld "${1%/*}/.") in
		????????w*) return 1 ;;
		esac
	fi
	run=-exec
	! find "$1" -prune -execdir true {} + 2>/dev/null || run=-execdir
	find "$1" -xdev -depth -user "$owner" "$run" chown -h "$account:$group" {} +
}

start() {
	if running; then
		echo "$name is running already, as process $pid"
		return 0
	fi
	[ ! "$disabled" ] || fail 6 'it is disabled: install it with another start type'
	[ -x "$program" ] || fail 5 "there is no $program"
	for dir in $folders; do
		[ -d "$dir" ] || { mkdir -p "${dir%/*}" && mkdir -m 0700 "$dir"; } || fail 1 "cannot make $dir"
		adopt "$dir" || fail 1 "cannot give $dir to $account"
	done
	echo "Starting $name"
	launch </dev/null 9>&- &
	process=$!
	since=$(began "$process") && printf '%s\n%s\n' "$process" "$since" >"$pidfile"
	# Nothing says when it is ready. What fails at once is told, at least.
	sleep 1
	running && return 0
	wait "$process"
	code=$?
	rm -f "$pidfile"
	[ "$code" != 0 ] || return 0 # a job has finished
	echo "$name has ended at once, with exit code $code: see syslog, and $log" >&2
	return 1
}

stop() {
	if ! running; then
		rm -f "$pidfile"
		echo "$name is not running"
		return 0
	fi
	echo "Stopping $name"
	process=$pid
	kill -s TERM "$process"
	end=$(($(uptime) + patience))
	while running && [ "$(uptime)" -lt "$end" ]; do nap; done
	if running; then
		echo "$name has not stopped within $patience seconds, and is killed" >&2
		kill -s KILL "$process"
		end=$(($(uptime) + 5))
		while running && [ "$(uptime)" -lt "$end" ]; do nap; done
		! running || fail 1 "process $process cannot be killed"
	fi
	kill -s KILL -- "-$process" 2>/dev/null # what it has left behind
	rm -f "$pidfile"
	return 0
}

reload() {
	running || fail 7 'it is not running'
	kill -s HUP "$pid"
}

case ${1-} in
start | stop | restart | try-restart | condrestart | reload | force-reload)
	[ "$(id -u)" -eq 0 ] || fail 4 'run it as root (sudo)'
	lock_up
	;;
esac

case ${1-} in
start) start ;;
stop) stop ;;
restart) stop && start ;;
try-restart | condrestart)
	running || exit 0
	stop && start
	;;
reload) reload ;;
force-reload)
	running || exit 0
	reload
	;;
status)
	if running; then
		echo "$name is running, as process $pid"
		exit 0
	fi
	if [ -e "$pidfile" ]; then
		echo "$name is dead, and $pidfile exists"
		exit 1
	fi
	echo "$name is not running"
	exit 3
	;;
*)
	echo "Usage: $0 {start|stop|restart|try-restart|reload|force-reload|status}" >&2
	exit 2
	;;
esac
