/* The server's parsers and tables that the kinds go by, and with which their tests make a configuration. */
#ifndef FAILOVER_SYNC_SHIM_KINDS_PARSERS_H
#define FAILOVER_SYNC_SHIM_KINDS_PARSERS_H

#include <dhcp/libdhcp++.h>
#include <dhcpsrv/cfg_hosts.h>
#include <dhcpsrv/cfg_option_def.h>
#include <dhcpsrv/cfg_subnets4.h>
#include <dhcpsrv/cfgmgr.h>
#include <dhcpsrv/client_class_def.h>
#include <dhcpsrv/parsers/client_class_def_parser.h>
#include <dhcpsrv/parsers/dhcp_parsers.h>
#include <dhcpsrv/parsers/simple_parser4.h>
#include <log/logger_support.h>

#endif
