# SPDX-License-Identifier: Apache-2.0
# Completion of tocsinctl(1) for bash: the words come from tocsinctl itself, and names from the daemon.

_tocsinctl() {
    local line word=${COMP_LINE:0:COMP_POINT} words=() i
    # Words as the shell splits them, but those that only "=" and ":" tore apart put together again.
    for ((i = 1; i <= COMP_CWORD; i++)); do
        if ((${#words[@]})) && [[ ${COMP_WORDS[i]} == [=:]* || ${COMP_WORDS[i - 1]} == *[=:] ]] &&
            [[ $word != *[[:space:]]"${COMP_WORDS[i]}" || -z ${COMP_WORDS[i]} && $word != *[[:space:]] ]]; then
            words[-1]+=${COMP_WORDS[i]}
        else
            words+=("${COMP_WORDS[i]}")
        fi
    done
    local whole=${words[-1]} current=${COMP_WORDS[COMP_CWORD]}
    [[ $current == [=:] ]] && current=
    COMPREPLY=()
    while IFS=$'\t' read -r line _; do
        if [[ $line == '@files' ]]; then
            compopt -o filenames
            mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$current")
        else
            # Only what stands behind the last break is ours to put in.
            line=${line#"${whole%"$current"}"}
            COMPREPLY+=("$(printf '%q' "$line")")
        fi
    done < <(command "${COMP_WORDS[0]}" __complete -- "${words[@]}" 2>/dev/null)
    [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *= ]] && compopt -o nospace
}

complete -F _tocsinctl tocsinctl
