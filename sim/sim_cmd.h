/* SPDX-License-Identifier: Apache-2.0 */
/* sim_cmd.h: `paddock sim`: worlds from seeds, judged. argv[0] is the subcommand's name.
 * Exit  0 every promise held (or, with --plant, the planted fault was noticed) · 1 one was broken · 2 bad usage */
#ifndef SIM_SIM_CMD_H
#define SIM_SIM_CMD_H

int sim_main(int argc, char **argv);

#endif
