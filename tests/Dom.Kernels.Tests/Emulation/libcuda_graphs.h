// Part of libcuda.cpp: graphs of kernels. Strict: a handle that was not handed out or is gone, a dependency in another graph, a node that is changed into another
// kernel (drivers before 12.0 refuse that), a launch in another context than that of the making are errors. What the arguments' addresses lead to is copied when a node
// is added or changed and overwritten where it came from only by its owner, so a driver binding that counts on a later look computes something else. Nodes run in an
// order that their dependencies allow, and of those that may run the one that was added last: a dependency that is missing shows.
// -DWITHOUT_GRAPHS makes a driver that has none of this.
struct Launch
{
    Function* function;
    unsigned grid[3], block[3], shared;
    std::vector<std::string> arguments;
};
struct Node
{
    Launch launch;
    std::set<Node*> behind;
};
struct Graph
{
    std::vector<Node*> nodes;
};
struct Executable
{
    std::vector<std::pair<const Node*, Launch>> launches; // in the order in which they run
    intptr_t context;
};
struct NodeParameters // CUDA_KERNEL_NODE_PARAMS_v2
{
    Function* function;
    unsigned grid[3], block[3], shared;
    void** arguments;
    void** extra;
    void* kernel;
    void* context;
};
static_assert(sizeof(NodeParameters) == 72);

static std::set<Graph*> graphs;
static std::set<Executable*> executables;

static size_t graph_objects() { return graphs.size() + executables.size(); }

#ifndef WITHOUT_GRAPHS

static bool read(const NodeParameters* p, Launch& launch)
{
    if (!p || p->extra || !is_launchable(p->function, p->grid, p->block, p->shared))
        return false;
    launch = {p->function, {p->grid[0], p->grid[1], p->grid[2]}, {p->block[0], p->block[1], p->block[2]}, p->shared, {}};
    for (size_t i = 0; i < p->function->parameters.size(); i++)
        launch.arguments.emplace_back((const char*)p->arguments[i], p->function->parameters[i]);
    return true;
}

API cuGraphCreate(Graph** graph, unsigned flags)
{
    IN_CONTEXT;
    if (fault || flags)
        return fault ? fault : invalid_value;
    graphs.insert(*graph = new Graph);
    return ok;
}
API cuGraphAddKernelNode_v2(Node** node, Graph* graph, Node** dependencies, size_t count, const NodeParameters* parameters)
{
    IN_CONTEXT;
    Launch launch;
    if (fault || !graphs.count(graph) || !read(parameters, launch) || (count > 0) != (dependencies != nullptr))
        return fault ? fault : invalid_value;
    if (launch.function->name == given("FAKE_UNGRAPHED", ""))
        return invalid_value;
    std::set<Node*> behind;
    for (size_t i = 0; i < count; i++)
        if (std::find(graph->nodes.begin(), graph->nodes.end(), dependencies[i]) == graph->nodes.end() || !behind.insert(dependencies[i]).second)
            return invalid_value;
    graph->nodes.push_back(*node = new Node{launch, behind});
    return ok;
}
API cuGraphInstantiateWithFlags(Executable** executable, Graph* graph, unsigned long long flags)
{
    IN_CONTEXT;
    if (fault || !graphs.count(graph) || flags)
        return fault ? fault : invalid_value;
    if (*given("FAKE_GRAPHS", "1") == '0')
        return out_of_memory;
    auto* made = new Executable{{}, current};
    std::set<Node*> done;
    while (done.size() < graph->nodes.size())
    {
        auto next = std::find_if(graph->nodes.rbegin(), graph->nodes.rend(), [&](Node* node)
            { return !done.count(node) && std::includes(done.begin(), done.end(), node->behind.begin(), node->behind.end()); });
        made->launches.emplace_back(*next, (*next)->launch);
        done.insert(*next);
    }
    trace("graph made of " + std::to_string(made->launches.size()));
    executables.insert(*executable = made);
    return ok;
}
API cuGraphExecKernelNodeSetParams_v2(Executable* executable, Node* node, const NodeParameters* parameters)
{
    IN_CONTEXT;
    Launch launch;
    if (fault || !executables.count(executable) || !read(parameters, launch))
        return fault ? fault : invalid_value;
    bool is_there = false;
    for (auto* graph : graphs)
        is_there |= std::find(graph->nodes.begin(), graph->nodes.end(), node) != graph->nodes.end();
    auto found = std::find_if(executable->launches.begin(), executable->launches.end(), [&](auto& pair) { return pair.first == node; });
    if (!is_there || found == executable->launches.end() || found->second.function != launch.function)
        return invalid_value;
    trace("graph updated: " + launch.function->name);
    found->second = launch;
    return ok;
}
API cuGraphLaunch(Executable* executable, void* stream)
{
    IN_CONTEXT;
    if (fault)
        return fault;
    if (!executables.count(executable) || executable->context != current)
        return invalid_value;
    if (stream != (void*)7)
        return invalid_handle;
    catch_up();
    trace("graph of " + std::to_string(executable->launches.size()));
    for (auto& [node, launch] : executable->launches)
    {
        void* arguments[8] = {};
        for (size_t i = 0; i < launch.arguments.size(); i++)
            arguments[i] = launch.arguments[i].data();
        trace("node " + launch.function->name);
        if (!run(launch.function, launch.grid, launch.block, launch.shared, arguments))
            break; // told later
    }
    return ok;
}
API cuGraphExecDestroy(Executable* executable) { IN_CONTEXT; return executables.erase(executable) ? delete executable, ok : invalid_value; }
API cuGraphDestroy(Graph* graph)
{
    IN_CONTEXT;
    if (!graphs.erase(graph))
        return invalid_value;
    for (auto* node : graph->nodes)
        delete node;
    return delete graph, ok;
}

#endif
