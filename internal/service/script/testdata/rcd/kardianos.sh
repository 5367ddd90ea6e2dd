#!/bin/sh

# PROVIDE: web
# REQUIRE: SERVERS
# KEYWORD: shutdown

. /etc/rc.subr

name="web"
web_env="IS_DAEMON=1"
pidfile="/var/run/${name}.pid"
command="/usr/sbin/daemon"
daemon_args="-P ${pidfile} -r -t \"${name}: daemon\""
command_args="${daemon_args} /usr/local/bin/web"

run_rc_command "$1"
